/* SPDX-License-Identifier: MIT */
/*
 * Text of /proc: what the kernel prints, what a hostile command or file name
 * makes of it, and what is cut off or damaged.
 */
#include "target/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "harness/test.h"

static struct view
text(const char *s)
{
	return view_of(s, strlen(s));
}

static char *
copy(struct view v)
{
	static char out[4096];

	snprintf(out, sizeof(out), "%.*s", (int)v.size, (const char *)v.data);
	return out;
}

TEST(stat_lines)
{
	static const struct {
		const char *line, *comm;
		char state;
		int ppid;
		uint64_t start;
		bool ok;
	} cases[] = {
	    {"7 (sh) S 1 2 3 4 5 4194304 6 7 8 9 10 11 12 13 20 0 5 0 99 1 2\n",
		"sh", 'S', 1, 99, true},
	    {"7 (a b) c) (d) R 12 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 "
	     "18446744073709551615 1",
		"a b) c) (d", 'R', 12, UINT64_MAX, true},
	    {"7 () Z 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 0", "", 'Z', 0, 0,
		true},
	    {"7 (a\nb) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 5 0 99", "a\nb",
		'S', 1, 99, true},
	    {"7 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 5 0", "", 0, 0, 0,
		false},
	    {"7 (sh S 1 2 3", "", 0, 0, 0, false},
	    {"7 )sh( S 1 2 3", "", 0, 0, 0, false},
	    {"(sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 5 0 99", "", 0, 0, 0,
		false},
	    {"x (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 5 0 99", "", 0, 0,
		0, false},
	    {"7 (sh) S 99999999999 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 5 0 99",
		"", 0, 0, 0, false},
	    {"7 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 5 0 "
	     "18446744073709551616",
		"", 0, 0, 0, false},
	    {"7 (sh) Sleeping 1 2 3", "", 0, 0, 0, false},
	    {"7 (sh)", "", 0, 0, 0, false},
	    {"", "", 0, 0, 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct procfs_stat s;
		bool ok = procfs_parse_stat(text(cases[i].line), &s);

		expect_int(ok, cases[i].ok);
		if (!ok || !cases[i].ok)
			continue;
		expect_int(s.pid, 7);
		expect_str(s.comm, cases[i].comm);
		expect_int(s.state, cases[i].state);
		expect_int(s.ppid, cases[i].ppid);
		expect_uint(s.starttime, cases[i].start);
	}
}

TEST(stat_of_a_long_name)
{
	char line[512], name[200];
	struct procfs_stat s;

	memset(name, 'n', sizeof(name));
	snprintf(line, sizeof(line),
	    "7 (%.*s) S 1 2 3 4 5 2097152 7 8 9 10 11 12 13 14 20 0 5 0 99",
	    (int)sizeof(name), name);
	assert_true(procfs_parse_stat(text(line), &s));
	expect_uint(strlen(s.comm), sizeof(s.comm) - 1);
	expect_true((s.flags & PROCFS_PF_KTHREAD) != 0);
	expect_uint(s.threads, 5);
	/* Every cut of it is refused or read, never read beyond. */
	for (size_t n = 0; n < strlen(line); n++) {
		char *part = malloc(n + 1);

		memcpy(part, line, n);
		(void)procfs_parse_stat(view_of(part, n), &s);
		free(part);
	}
}

TEST(dead_states)
{
	expect_true(procfs_is_dead('Z'));
	expect_true(procfs_is_dead('X'));
	expect_false(procfs_is_dead('T'));
	expect_false(procfs_is_dead('?'));
}

TEST(fields)
{
	static const char status[] = "Name:\ta: VmSize: 1\nUmask:\t0022\n"
				     "State:\tS (sleeping)\nTgid:\t12\n"
				     "Uid:\t1000\t1001\t1002\t1003\n"
				     "VmPeak:\t  123456 kB\nVmSize:\t7 kB\n"
				     "Cached:  9 kB\nSwapCached: 8 kB\n"
				     "Active(anon): 3 kB\nActive: 4 kB\n"
				     "model name\t: Some CPU @ 2  \n"
				     "cpu  10 20 30\ncpu0 1 2 3\nEmpty:";
	static const struct {
		const char *key, *want;
	} cases[] = {{"Name", "a: VmSize: 1"}, {"State", "S (sleeping)"},
	    {"Uid", "1000\t1001\t1002\t1003"}, {"VmPeak", "123456 kB"},
	    {"VmSize", "7 kB"}, {"Cached", "9 kB"}, {"Active", "4 kB"},
	    {"model name", "Some CPU @ 2"}, {"cpu", "10 20 30"},
	    {"cpu0", "1 2 3"}, {"Empty", ""}, {"Vm", NULL}, {"Absent", NULL},
	    {"Tgid", "12"}};
	struct view value;
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = procfs_field(text(status), cases[i].key, &value);

		expect_int(found, cases[i].want != NULL);
		if (found && cases[i].want != NULL)
			expect_str(copy(value), cases[i].want);
	}
	expect_true(procfs_field_u64(text(status), "VmPeak", &n));
	expect_uint(n, 123456);
	expect_false(procfs_field_u64(text(status), "State", &n));
	expect_false(procfs_field_u64(text(status), "Empty", &n));
	assert_true(procfs_field(text(status), "Uid", &value));
	expect_true(procfs_number(value, 3, &n));
	expect_uint(n, 1003);
	expect_false(procfs_number(value, 4, &n));
	expect_false(procfs_number(text("0x10"), 0, &n));
	expect_false(procfs_number(text("99999999999999999999"), 0, &n));
}

TEST(mappings)
{
	static const char maps[] =
	    "00400000-00401000 r-xp 00001000 fe:01 1234                       "
	    "/usr/bin/a b\\012c (deleted)\n"
	    "nonsense\n"
	    "00500000-00400000 r-xp 00000000 00:00 0 \n"
	    "7f0000000000-7f0000001000 rw-s 7fffffffffff f:2 "
	    "18446744073709551615 /memfd:x (deleted)\n"
	    "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0      [stack]\n"
	    "7ffd00000000-7ffd00001000 ---p 00000000 00:00 0 \n"
	    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 "
	    "[vsyscall]";
	struct view v = text(maps);
	struct procfs_mapping m;
	char path[64];
	size_t bad = 0;

	assert_true(procfs_next_mapping(&v, &m, &bad));
	expect_uint(m.start, 0x400000);
	expect_uint(m.end, 0x401000);
	expect_uint(m.offset, 0x1000);
	expect_uint(m.major, 0xfe);
	expect_uint(m.minor, 1);
	expect_uint(m.inode, 1234);
	expect_true(m.readable && m.executable && !m.writable && !m.shared);
	expect_uint(procfs_path(m.path, path, sizeof(path)), 24);
	expect_str(path, "/usr/bin/a b\nc (deleted)");
	expect_uint(procfs_path(m.path, path, 5), 4);
	expect_str(path, "/usr");
	expect_uint(procfs_path(m.path, path, 0), 0);
	assert_true(procfs_next_mapping(&v, &m, &bad));
	expect_uint(bad, 2);
	expect_true(m.writable && m.shared);
	expect_uint(m.inode, UINT64_MAX);
	expect_str(copy(m.path), "/memfd:x (deleted)");
	assert_true(procfs_next_mapping(&v, &m, &bad));
	expect_str(copy(m.path), "[stack]");
	assert_true(procfs_next_mapping(&v, &m, &bad));
	expect_uint(m.path.size, 0);
	expect_false(m.readable);
	assert_true(procfs_next_mapping(&v, &m, &bad));
	expect_uint(m.end, UINT64_C(0xffffffffff601000));
	expect_false(procfs_next_mapping(&v, &m, &bad));
	expect_uint(bad, 2);
}

TEST(kernel_stacks)
{
	struct view v = text("[<0>] futex_wait_queue+0x5d/0x80\n"
			     "[<ffffffff810a>] pipe_read+0x1/0x2 [mod]\n"
			     "\n[<0>]\nrubbish\n[<0>] 0xffffffffffffffff\n");
	struct view frame;

	assert_true(procfs_next_kernel_frame(&v, &frame));
	expect_str(copy(frame), "futex_wait_queue+0x5d/0x80");
	assert_true(procfs_next_kernel_frame(&v, &frame));
	expect_str(copy(frame), "pipe_read+0x1/0x2 [mod]");
	expect_false(procfs_next_kernel_frame(&v, &frame));
}

TEST(system_calls)
{
	struct procfs_syscall s;

	assert_true(procfs_parse_syscall(
	    text("202 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffc10 0x7f20\n"), &s));
	expect_int(s.number, 202);
	expect_uint(s.arguments[0], 1);
	expect_uint(s.arguments[5], 6);
	expect_uint(s.sp, 0x7ffc10);
	expect_uint(s.pc, 0x7f20);
	assert_true(procfs_parse_syscall(text("-1 0x10 0x20\n"), &s));
	expect_int(s.number, -1);
	expect_uint(s.sp, 0x10);
	expect_false(procfs_parse_syscall(text("running\n"), &s));
	expect_false(procfs_parse_syscall(text("202 0x1 0x2 0x3\n"), &s));
	expect_false(procfs_parse_syscall(text("-1 0x10\n"), &s));
	expect_false(procfs_parse_syscall(text(""), &s));
}

TEST(files)
{
	int dir = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct procfs_stat s;
	struct buf b;

	assert_true(dir >= 0);
	buf_init(&b, 1 << 20);
	assert_true(procfs_read(dir, "stat", &b));
	assert_true(procfs_parse_stat(view_of(b.data, b.size), &s));
	expect_int(s.pid, getpid());
	expect_int(s.state, 'R');
	buf_clear(&b);
	expect_false(procfs_read(dir, "no such file", &b));
	expect_int(errno, ENOENT);
	buf_deinit(&b);
	/* A cap cuts, and that is no failure. */
	buf_init(&b, 10);
	expect_true(procfs_read(dir, "maps", &b));
	expect_uint(b.size, 10);
	buf_deinit(&b);
	close(dir);
}

TEST(limits)
{
	static const char text[] =
	    "Limit                     Soft Limit           Hard Limit         "
	    " "
	    " Units     \n"
	    "Max cpu time              unlimited            unlimited          "
	    " "
	    " seconds   \n"
	    "Max open files            1024                 524288             "
	    " "
	    " files     \n"
	    "Max nice priority         0                    40                 "
	    " "
	    " \n"
	    "Max something new         18446744073709551615 1x                 "
	    " "
	    " x\n"
	    "Max odd                   -1                   2                  "
	    " "
	    " y\n"
	    "short\n"
	    "Max huge                  99999999999999999999 1                  "
	    "  "
	    "z\n"
	    "Max last                  3                    unlimited";
	static const struct {
		const char *label, *unit;
		uint64_t soft, hard;
	} wanted[] = {
	    {"Max cpu time", "seconds", PROCFS_UNLIMITED, PROCFS_UNLIMITED},
	    {"Max open files", "files", 1024, 524288},
	    {"Max nice priority", "", 0, 40},
	    {"Max last", "", 3, PROCFS_UNLIMITED}};
	struct view v = view_of(text, sizeof(text) - 1);
	struct procfs_limit limit;
	size_t n = 0;

	for (; procfs_next_limit(&v, &limit); n++) {
		char label[32] = "", unit[32] = "";

		assert_true(n < sizeof(wanted) / sizeof(*wanted));
		assert_true(limit.label.size < 32 && limit.unit.size < 32);
		memcpy(label, limit.label.data, limit.label.size);
		memcpy(unit, limit.unit.data, limit.unit.size);
		expect_str(label, wanted[n].label);
		expect_str(unit, wanted[n].unit);
		expect_uint(limit.soft, wanted[n].soft);
		expect_uint(limit.hard, wanted[n].hard);
	}
	expect_uint(n, sizeof(wanted) / sizeof(*wanted));
}

/* SPDX-License-Identifier: MIT */
/*
 * Why a process cannot be captured, from a /proc written by the test: what
 * this machine has no example of (Yama, kernel threads, tracers out of sight).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/test.h"
#include "target/capture_private.h"

enum { PID = 4711 };

/* Writes a file of the made-up /proc; directories are made as needed. */
static void
put(const char *name, const char *text)
{
	char path[512];

	assert_int(test_shell("mkdir -p \"$(dirname '%s/%s')\"",
		       test_path("proc"), name),
	    0);
	snprintf(path, sizeof(path), "%s/%s", test_path("proc"), name);
	test_write_file(path, text, strlen(text));
}

static void
put_process(const char *state, const char *flags, const char *status)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "%d (na) me) %s 1 2 3 4 5 %s 6 7 8 9 10 11 12 13 20 0 1 0 99 1\n",
	    PID, state, flags);
	put("4711/stat", text);
	put("4711/task/4711/stat", text);
	put("4711/status", status);
	put("4711/environ", "");
}

static int
proc(void)
{
	put("self/stat", "1 (x) R\n");
	return open(test_path("proc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The status of a process of ours. */
static const char *
our_status(void)
{
	static char text[128];
	unsigned uid = geteuid();

	snprintf(text, sizeof(text),
	    "Tgid:\t4711\nTracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\n", uid, uid, uid,
	    uid);
	return text;
}

TEST(what_is_plain)
{
	bt_error_t e;
	int dir;

	put_process("S", "0", our_status());
	dir = proc();
	expect_ok(capture_check(dir, PID, &e), &e);
	expect_code(capture_check(dir, 1 << 30, &e), &e, BT_E_GONE);
	expect_contains(e.text, "no such process");
	expect_code(capture_check(dir, getpid(), &e), &e, BT_E_USAGE);
	/* Signals reach it, but it cannot be seen. */
	expect_code(capture_check(dir, getppid(), &e), &e, BT_E_PERMISSION);
	expect_contains(e.text, "hidepid");
	put_process("S", "2097152", our_status());
	expect_code(capture_check(dir, PID, &e), &e, BT_E_UNSUPPORTED);
	expect_contains(e.text, "kernel thread");
	expect_contains(e.text, "na) me");
	put_process("Z", "0", our_status());
	expect_code(capture_check(dir, PID, &e), &e, BT_E_GONE);
	expect_contains(e.text, "zombie");
	put("1/stat",
	    "1 (init) S 0 2 3 4 5 0 6 7 8 9 10 11 12 13 20 0 1 0 99 1\n");
	expect_code(capture_check(dir, PID, &e), &e, BT_E_GONE);
	expect_contains(e.text, "parent 1 (init)");
	put("4711/task/4712/stat",
	    "4712 (w) S 1 2 3 4 5 0 6 7 8 9 10 11 12 13 20 0 1 0 99 1\n");
	expect_ok(capture_check(dir, PID, &e), &e);
}

TEST(writes_its_core)
{
	bt_error_t e;
	int dir;

	put_process("D", "0", "Tgid:\t4711\nTracerPid:\t0\nCoreDumping:\t1\n");
	dir = proc();
	expect_code(capture_check(dir, PID, &e), &e, BT_E_GONE);
	expect_contains(e.text, "use --core");
	put_process("S", "0", "Tgid:\t4711\nTracerPid:\t0\nCoreDumping:\t0\n");
	expect_ok(capture_check(dir, PID, &e), &e);
}

TEST(threads_and_tracers)
{
	bt_error_t e;
	int dir;

	put_process("S", "0", "Tgid:\t4000\nTracerPid:\t0\n");
	dir = proc();
	expect_code(capture_check(dir, PID, &e), &e, BT_E_USAGE);
	expect_contains(e.text, "thread of process 4000");
	expect_contains(e.text, "--thread=4711");
	put_process("t", "0", "Tgid:\t4711\nTracerPid:\t815\n");
	expect_code(capture_check(dir, PID, &e), &e, BT_E_PERMISSION);
	expect_contains(e.text, "outside our view");
	put("815/stat",
	    "815 (gdb) S 1 2 3 4 5 0 6 7 8 9 10 11 12 13 20 0 1 0 99 1\n");
	expect_code(capture_check(dir, PID, &e), &e, BT_E_PERMISSION);
	expect_contains(e.text, "815 (gdb)");
	put_process("S", "0", our_status());
	put("4711/exe", "\177ELF\1\1\1xxxxxxxxxxxxxxxxxxxxx");
	expect_code(capture_check(dir, PID, &e), &e, BT_E_UNSUPPORTED);
	expect_contains(e.text, "32-bit");
	put("4711/exe", "\177ELF\2\1\1xxxxxxxxxxxxxxxxxxxxx");
	expect_ok(capture_check(dir, PID, &e), &e);
}

TEST(no_proc_at_all)
{
	bt_error_t e;
	int dir;

	assert_int(mkdir(test_path("empty"), 0755), 0);
	dir = open(test_path("empty"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect_code(capture_check(dir, PID, &e), &e, BT_E_OS);
	expect_contains(e.text, "/proc is not mounted");
}

TEST(yama_and_capabilities)
{
	static const struct {
		const char *scope, *capabilities, *part, *remedy;
	} cases[] = {
	    {"0", "0000000000000000", "may not be traced",
		"--cap-add=SYS_PTRACE"},
	    {"1", "0000000000000000", "descendants only",
		"sysctl -w kernel.yama.ptrace_scope=0"},
	    {"1", "0000000000000000", "Yama", "PR_SET_PTRACER"},
	    {"2", "0000000000000000", "CAP_SYS_PTRACE only", "run as root"},
	    {"3", "ffffffffffffffff", "ptrace_scope is 3", "anew"},
	    {"1", "0000000000080000", "although we have CAP_SYS_PTRACE",
		"user namespace"},
	    {"0", "000001FFFFFFFFFF", "although we have CAP_SYS_PTRACE",
		"security module"},
	};
	bt_error_t e;
	int dir;

	put_process("S", "0", our_status());
	dir = proc();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char status[64];

		put("sys/kernel/yama/ptrace_scope", cases[i].scope);
		snprintf(status, sizeof(status), "CapEff:\t%s\n",
		    cases[i].capabilities);
		put("self/status", status);
		expect_code(
		    capture_explain(dir, PID, EPERM, &e), &e, BT_E_PERMISSION);
		expect_contains(e.text, "4711");
		expect_contains(e.text, cases[i].part);
		expect_contains(e.text, cases[i].remedy);
	}
	expect_code(capture_explain(dir, PID, EIO, &e), &e, BT_E_OS);
	expect_contains(e.text, "cannot trace process 4711");
}

TEST(another_user_and_protected)
{
	char status[128];
	bt_error_t e;
	int dir;

	put_process("S", "0",
	    "Tgid:\t4711\nTracerPid:\t0\nUid:\t31337\t31337\t31337\t31337\n");
	put("self/status", "CapEff:\t0000000000000000\n");
	dir = proc();
	expect_code(capture_explain(dir, PID, EPERM, &e), &e, BT_E_PERMISSION);
	expect_contains(e.text, "uid 31337");
	if (geteuid() != 0)
		skip("needs root to give a file away");
	snprintf(status, sizeof(status), "%s", our_status());
	put_process("S", "0", status);
	assert_int(
	    test_shell("chown 12345 '%s/4711/environ'", test_path("proc")), 0);
	expect_code(capture_explain(dir, PID, EACCES, &e), &e, BT_E_PERMISSION);
	expect_contains(e.text, "protected");
}

/* The whole way, where the kernel has no Yama: the call is refused. */
TEST(refused_by_the_kernel)
{
	struct capture_options options = {.pid = getppid()};
	struct capture *c;
	bt_error_t e;

	test_deny(SYS_ptrace, EPERM);
	if (!capture_open(&options, &c, &e))
		skip("the parent cannot even be opened: %s", e.text);
	expect_int(capture_take(c), CAPTURE_FAILED);
	expect_int(c->error.code, BT_E_PERMISSION);
	expect_contains(c->error.text, "may not be traced");
	capture_close(c);
}

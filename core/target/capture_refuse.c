/* SPDX-License-Identifier: MIT */
/*
 * Why a process cannot be captured. The kernel answers EPERM to nearly
 * everything (a zombie, a process that is traced already, ourselves, kernel
 * threads, somebody else's process, Yama), so the reason is looked for in
 * /proc, and the answer names the remedy.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "target/capture_private.h"
#include "target/procfs.h"

enum { REFUSE_TEXT_MAX = 65536, REFUSE_CAP_SYS_PTRACE = 19 };

static bool
read_of(int proc, int32_t pid, const char *name, struct buf *out)
{
	char path[64];

	buf_clear(out);
	(void)snprintf(path, sizeof(path), "%d/%s", pid, name);
	return procfs_read(proc, path, out);
}

static struct view
text_of(const struct buf *b)
{
	return view_of(b->data, b->size);
}

static bool
stat_of(int proc, int32_t pid, struct procfs_stat *out)
{
	struct buf text;
	bool ok;

	buf_init(&text, REFUSE_TEXT_MAX);
	ok = read_of(proc, pid, "stat", &text) &&
	    procfs_parse_stat(text_of(&text), out);
	buf_deinit(&text);
	return ok;
}

static bool
status_u64(int proc, int32_t pid, const char *key, uint64_t *out)
{
	struct buf text;
	bool ok;

	buf_init(&text, REFUSE_TEXT_MAX);
	ok = read_of(proc, pid, "status", &text) &&
	    procfs_field_u64(text_of(&text), key, out);
	buf_deinit(&text);
	return ok;
}

static bool
refuse_absent(int proc, int32_t pid, bt_error_t *e)
{
	if (faccessat(proc, "self/stat", F_OK, 0) != 0)
		return bt_fail(e, BT_E_OS,
		    "process %d: /proc is not mounted here, and nothing can "
		    "be read without it",
		    pid);
	if (kill(pid, 0) == 0 || errno == EPERM)
		return bt_fail(e, BT_E_PERMISSION,
		    "process %d is hidden from us (/proc is mounted with "
		    "hidepid, or it is not that of its namespace); run as "
		    "root",
		    pid);
	return bt_fail(e, BT_E_GONE, "no such process: %d", pid);
}

static bool
refuse_traced(int proc, int32_t pid, uint64_t tracer, bt_error_t *e)
{
	struct procfs_stat stat;

	if (tracer <= INT32_MAX && stat_of(proc, (int32_t)tracer, &stat))
		return bt_fail(e, BT_E_PERMISSION,
		    "process %d is traced already, by %llu (%s); a process "
		    "has one tracer at a time: end that one first",
		    pid, (unsigned long long)tracer, stat.comm);
	return bt_fail(e, BT_E_PERMISSION,
	    "process %d is traced already, by a process outside our view; a "
	    "process has one tracer at a time",
	    pid);
}

/* Does the list have a thread that has not ended? */
static bool
lists_living(int proc, int32_t pid)
{
	char path[64];
	tid_vec tids;
	bool alive = false;
	int dir;

	(void)snprintf(path, sizeof(path), "%d/task", pid);
	dir = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	vec_init(&tids, (size_t)1 << 22);
	(void)capture_tids(dir, &tids);
	for (size_t i = 0; i < tids.count && !alive; i++) {
		struct procfs_stat stat;

		alive = stat_of(dir, (int32_t)tids.items[i], &stat) &&
		    !procfs_is_dead(stat.state);
	}
	vec_deinit(&tids);
	(void)close(dir);
	return alive;
}

/* Does any thread of the process still run? One that calls exec takes the
 * number of the dead leader, and may be missed once. */
static bool
lives(int proc, int32_t pid)
{
	const struct timespec nap = {.tv_nsec = 1000000};
	bool alive = lists_living(proc, pid);

	for (int i = 0; i < 4 && !alive; i++) {
		(void)nanosleep(&nap, NULL);
		alive = lists_living(proc, pid);
	}
	return alive;
}

static bool
check_dead(int proc, int32_t pid, const struct procfs_stat *stat, bt_error_t *e)
{
	struct procfs_stat parent;

	if (!procfs_is_dead(stat->state) || lives(proc, pid))
		return true;
	if (stat_of(proc, stat->ppid, &parent))
		return bt_fail(e, BT_E_GONE,
		    "process %d (%s) is a zombie: it has ended, and its "
		    "parent %d (%s) has not yet asked how",
		    pid, stat->comm, stat->ppid, parent.comm);
	return bt_fail(e, BT_E_GONE,
	    "process %d (%s) is a zombie: it has ended", pid, stat->comm);
}

/* The class of the executable: a 32-bit program has other registers, another
 * auxiliary vector and other structures throughout. */
static bool
check_class(int proc, int32_t pid, bt_error_t *e)
{
	uint8_t ident[EI_NIDENT];
	char path[64];
	ssize_t n = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "%d/exe", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		n = read(fd, ident, sizeof(ident));
		(void)close(fd);
	}
	if (n == (ssize_t)sizeof(ident) &&
	    memcmp(ident, ELFMAG, SELFMAG) == 0 &&
	    ident[EI_CLASS] == ELFCLASS32)
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "process %d is a 32-bit program; only 64-bit x86 programs "
		    "are supported",
		    pid);
	return true;
}

bool
capture_check(int proc, int32_t pid, bt_error_t *e)
{
	struct procfs_stat stat;
	uint64_t value;

	if (pid == getpid())
		return bt_fail(e, BT_E_USAGE,
		    "process %d is this very program; it cannot stop itself",
		    pid);
	if (!stat_of(proc, pid, &stat))
		return refuse_absent(proc, pid, e);
	if ((stat.flags & PROCFS_PF_KTHREAD) != 0)
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "process %d (%s) is a kernel thread; it has no program to "
		    "examine",
		    pid, stat.comm);
	if (status_u64(proc, pid, "Tgid", &value) && value != (uint64_t)pid)
		return bt_fail(e, BT_E_USAGE,
		    "%d is a thread of process %llu; use %llu (and "
		    "--thread=%d)",
		    pid, (unsigned long long)value, (unsigned long long)value,
		    pid);
	if (!check_dead(proc, pid, &stat, e))
		return false;
	/* Since Linux 4.15. Such a process cannot be attached to any more. */
	if (status_u64(proc, pid, "CoreDumping", &value) && value != 0)
		return bt_fail(e, BT_E_GONE,
		    "process %d (%s) has crashed and is writing its core; "
		    "wait for that and use --core",
		    pid, stat.comm);
	if (status_u64(proc, pid, "TracerPid", &value) && value != 0)
		return refuse_traced(proc, pid, value, e);
	return check_class(proc, pid, e);
}

/* Yama: 0 off, 1 descendants only, 2 with CAP_SYS_PTRACE, 3 nobody. */
static uint64_t
yama_scope(int proc)
{
	struct buf text;
	uint64_t scope = 0;

	buf_init(&text, 64);
	if (procfs_read(proc, "sys/kernel/yama/ptrace_scope", &text)) {
		struct view v = text_of(&text), line;

		if (procfs_line(&v, &line))
			(void)procfs_number(line, 0, &scope);
	}
	buf_deinit(&text);
	return scope;
}

static bool
may_trace_all(int proc)
{
	struct buf text;
	struct view value;
	uint64_t mask = 0;

	buf_init(&text, REFUSE_TEXT_MAX);
	if (procfs_read(proc, "self/status", &text) &&
	    procfs_field(text_of(&text), "CapEff", &value)) {
		for (size_t i = 0; i < value.size && i < 16; i++) {
			uint8_t c = value.data[i];

			mask = mask << 4 |
			    (uint64_t)(c <= '9' ? c - '0'
						: (c | 32) - 'a' + 10);
		}
	}
	buf_deinit(&text);
	return (mask >> REFUSE_CAP_SYS_PTRACE & 1) != 0;
}

/* The kernel gives the files of a process that is not dumpable to root (all
 * but its directory). */
static bool
is_dumpable(int proc, int32_t pid, uint64_t uid)
{
	char path[32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%d/environ", pid);
	return fstatat(proc, path, &st, 0) != 0 || st.st_uid == uid;
}

static bool
explain_without_capability(int proc, int32_t pid, bt_error_t *e)
{
	uint64_t ours = geteuid(), theirs = ours, scope = yama_scope(proc);

	(void)status_u64(proc, pid, "Uid", &theirs);
	if (theirs != ours)
		return bt_fail(e, BT_E_PERMISSION,
		    "process %d belongs to uid %llu and we are uid %llu; run "
		    "as that user, as root, or with CAP_SYS_PTRACE",
		    pid, (unsigned long long)theirs, (unsigned long long)ours);
	if (!is_dumpable(proc, pid, theirs))
		return bt_fail(e, BT_E_PERMISSION,
		    "process %d is protected (a set-user-id program, or "
		    "prctl(PR_SET_DUMPABLE, 0)); run as root or with "
		    "CAP_SYS_PTRACE",
		    pid);
	if (scope == 1)
		return bt_fail(e, BT_E_PERMISSION,
		    "process %d: Yama allows tracing of descendants only; run "
		    "as root, or sysctl -w kernel.yama.ptrace_scope=0, or let "
		    "it call prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)",
		    pid);
	if (scope == 2)
		return bt_fail(e, BT_E_PERMISSION,
		    "process %d: Yama allows tracing with CAP_SYS_PTRACE only; "
		    "run as root, or sysctl -w kernel.yama.ptrace_scope=0",
		    pid);
	return bt_fail(e, BT_E_PERMISSION,
	    "process %d may not be traced: it has privileges we lack, or a "
	    "security module forbids it; run as root or with CAP_SYS_PTRACE "
	    "(containers: --cap-add=SYS_PTRACE)",
	    pid);
}

bool
capture_explain(int proc, int32_t pid, int errnum, bt_error_t *e)
{
	/* What is plain comes first: it may have changed since we looked. */
	if (!capture_check(proc, pid, e))
		return false;
	if (errnum != EPERM && errnum != EACCES)
		return bt_fail_os(e, errnum, "cannot trace process %d", pid);
	if (yama_scope(proc) == 3)
		return bt_fail(e, BT_E_PERMISSION,
		    "process %d: kernel.yama.ptrace_scope is 3, which forbids "
		    "all tracing until the machine is started anew",
		    pid);
	if (!may_trace_all(proc))
		return explain_without_capability(proc, pid, e);
	return bt_fail(e, BT_E_PERMISSION,
	    "process %d may not be traced although we have CAP_SYS_PTRACE: it "
	    "belongs to another user namespace, or a security module forbids "
	    "it",
	    pid);
}

/* SPDX-License-Identifier: MIT */
/*
 * Which system calls a worker may make, as a program for seccomp(2). What it is
 * about needs few: to read what it was given, to have memory, to wait, to write
 * to its pipe, to ask its broker, to end.
 *
 * A list of what is allowed, written here and not by a library: it is short,
 * its arguments matter more than its numbers, and it has no dependency.
 *
 * The kernel runs the program for each number there is when it is installed, to
 * know which need not be looked at again; so those whose arguments do not
 * matter are found by halving, not one after the other (0.2 ms of each run).
 *
 * Refused calls fail with EPERM and the broker is told; the work goes on
 * without what was asked for. Some that C libraries try first fail with ENOSYS,
 * so that they take the older way, and nobody is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/sandbox.h"

enum { PROGRAM_MAX = 400, CALLS_MAX = 64 };

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short size;
	uint32_t refuse; /* what becomes of a call that is not allowed */
};

/* Those whose arguments do not matter. */
static const int allowed[] = {
    /* memory */
    SYS_munmap,
    SYS_brk,
    SYS_madvise,
    SYS_mremap,
    SYS_mincore,
    /* what is open */
    SYS_read,
    SYS_pread64,
    SYS_write,
    SYS_writev,
    SYS_readv,
    SYS_preadv,
    SYS_lseek,
    SYS_close,
    SYS_dup2,
    SYS_fstat,
    SYS_getdents64,
    SYS_fadvise64,
    SYS_poll,
    SYS_ppoll,
    /* the thread that inflates */
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_exit,
    SYS_exit_group,
    /* signals of our own */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_pause,
    SYS_restart_syscall,
    /* time */
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_time,
    SYS_times,
    SYS_getrusage,
    /* who and where we are */
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_uname,
    SYS_sysinfo,
    SYS_getcpu,
    SYS_getrandom,
    SYS_getrlimit,
};

/* A newer way to do what an older call does, which we can look at. */
static const int unknown[] = {
    SYS_clone3, /* its flags are in memory */
};

/* The last call whose name the kernel's headers of Debian 12 know; what comes
 * later is new to us, and C libraries can do without. */
enum { NEWEST_CALL = 449, X32_BIT = 0x40000000 };

static void
emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->size < PROGRAM_MAX)
		p->code[p->size] = (struct sock_filter){code, yes, no, k};
	p->size++;
}

static void
emit_return(struct program *p, uint32_t action)
{

	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

static void
emit_load(struct program *p, size_t offset)
{

	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The low half of an argument; that is where ints and flags are. */
static size_t
argument(unsigned i)
{

	return offsetof(struct seccomp_data, args) + i * sizeof(uint64_t);
}

/* ---- by halving ---- */

struct calls { /* from first to last */
	uint32_t first, last;
};

static int
by_number(const void *a, const void *b)
{

	return *(const int *)a - *(const int *)b;
}

/* Neighbours become one. */
static size_t
join_calls(int *numbers, size_t n, struct calls *out)
{
	size_t count = 0;

	qsort(numbers, n, sizeof(*numbers), by_number);
	for (size_t i = 0; i < n; i++) {
		uint32_t number = (uint32_t)numbers[i];

		if (count > 0 && number <= out[count - 1].last + 1)
			out[count - 1].last = number;
		else
			out[count++] = (struct calls){number, number};
	}
	return count;
}

/* Finds the one of n > 0 sorted ranges that may hold the call. What that means
 * is filled in at the end: `leaves` lists where each is asked about. */
static void
emit_half(struct program *p, const struct calls *calls, size_t n,
    unsigned short *leaves, size_t *n_leaves)
{
	size_t half = n / 2;
	unsigned short at = p->size;

	if (n == 1) {
		leaves[(*n_leaves)++] = at;
		emit(p, BPF_JMP | BPF_JGE | BPF_K, calls->first, 0, 0);
		emit(p, BPF_JMP | BPF_JGT | BPF_K, calls->last, 0, 0);
		return;
	}
	emit(p, BPF_JMP | BPF_JGE | BPF_K, calls[half].first, 0, 0);
	emit_half(p, calls, half, leaves, n_leaves);
	if (at < PROGRAM_MAX)
		p->code[at].jt = (uint8_t)(p->size - at - 1);
	emit_half(p, calls + half, n - half, leaves, n_leaves);
}

/* Any other call goes on behind all of this. Not even CALLS_MAX ranges, of
 * three instructions each, are more than a jump can pass over. */
static void
emit_allowed(struct program *p, const int *numbers, size_t n)
{
	_Static_assert(3 * CALLS_MAX < UINT8_MAX, "jumps have 8 bits");
	int sorted[CALLS_MAX];
	struct calls calls[CALLS_MAX];
	unsigned short leaves[CALLS_MAX], allow;
	size_t n_leaves = 0;

	memcpy(sorted, numbers, n * sizeof(*numbers));
	emit_half(p, calls, join_calls(sorted, n, calls), leaves, &n_leaves);
	allow = p->size;
	emit_return(p, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < n_leaves && p->size <= PROGRAM_MAX; i++) {
		struct sock_filter *leaf = &p->code[leaves[i]];

		leaf[0].jf = (uint8_t)(allow - leaves[i]);
		leaf[1].jt = (uint8_t)(allow - leaves[i] - 1);
		leaf[1].jf = (uint8_t)(allow - leaves[i] - 2);
	}
}

static void
on_call(struct program *p, int call, uint32_t action)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1);
	emit_return(p, action);
}

/* The call with one of the values in argument i is allowed. */
static void
allow_values(struct program *p, int call, unsigned i, const uint32_t *values,
    unsigned char n)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0,
	    (uint8_t)(2 * n + 2));
	emit_load(p, argument(i));
	for (unsigned char v = 0; v < n; v++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, values[v], 0, 1);
		emit_return(p, SECCOMP_RET_ALLOW);
	}
	emit_return(p, p->refuse);
}

static void
allow_value(struct program *p, int call, unsigned i, uint32_t value)
{

	allow_values(p, call, i, &value, 1);
}

/* The call is allowed with (`set`) all of these bits in argument i, or without
 * any of them. */
static void
allow_bits(struct program *p, int call, unsigned i, uint32_t bits, bool set)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 5);
	emit_load(p, argument(i));
	emit(p, BPF_ALU | BPF_AND | BPF_K, bits, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, set ? bits : 0, 0, 1);
	emit_return(p, SECCOMP_RET_ALLOW);
	emit_return(p, p->refuse);
}

/* Our own limits may be read, not changed. */
static void
allow_limits(struct program *p)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 10);
	for (size_t half = 0; half < 2; half++) {
		emit_load(p, argument(2) + half * sizeof(uint32_t));
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		emit_return(p, p->refuse);
	}
	emit_load(p, argument(0));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
	emit_return(p, SECCOMP_RET_ALLOW);
	emit_return(p, p->refuse);
}

static void
emit_arguments(struct program *p, int socket, int more)
{
	const uint32_t sockets[] = {
	    (uint32_t)socket, (uint32_t)(more >= 0 ? more : socket)};
	static const uint32_t fcntls[] = {F_GETFD, F_SETFD, F_GETFL};
	const uint32_t self = (uint32_t)getpid();

	/* Threads, no processes. */
	allow_bits(p, SYS_clone, 0, CLONE_THREAD | CLONE_VM, true);
	allow_value(p, SYS_sendmsg, 0, (uint32_t)socket);
	allow_values(p, SYS_recvmsg, 0, sockets, 2);
	/* To die of a signal, as abort(3) does. */
	allow_value(p, SYS_tgkill, 0, self);
	allow_value(p, SYS_kill, 0, self);
	allow_value(p, SYS_ioctl, 1, TCGETS);
	allow_values(p, SYS_fcntl, 1, fcntls, 3);
}

/* The calls of which a module that is just being loaded may do more. */
static void
emit_loaded(struct program *p)
{
	static const uint32_t prctls[] = {
	    PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* PR_SET_VMA */};

	/* No new code: neither that of libraries nor our own making. */
	allow_bits(p, SYS_mmap, 2, PROT_EXEC, false);
	allow_bits(p, SYS_mprotect, 2, PROT_EXEC, false);
	/* fstat(3) of glibc 2.33 and later; not of a path. */
	allow_bits(p, SYS_newfstatat, 3, AT_EMPTY_PATH, true);
	allow_limits(p);
	allow_values(p, SYS_prctl, 0, prctls, 3);
}

/* Instrumented builds look at their own files: the sanitizers when they report
 * something, those that measure coverage when they end. */
static const int instrumented[] = {SYS_open, SYS_openat, SYS_readlink,
    SYS_readlinkat, SYS_access, SYS_faccessat, SYS_stat, SYS_lstat,
    SYS_newfstatat, SYS_mkdir, SYS_fcntl, SYS_ftruncate, SYS_prctl,
    SYS_prlimit64, SYS_getrlimit, SYS_ioctl, SYS_getcwd, SYS_umask};

/* What makes an opened file more than one to read. */
static const uint32_t changing = O_ACCMODE | O_CREAT | O_TRUNC;

/* What the dynamic linker needs to look at files... */
static const int looking[] = {SYS_stat, SYS_lstat, SYS_access, SYS_faccessat,
    SYS_readlink, SYS_readlinkat, SYS_getcwd};
/* ... and what raises the walls afterwards. */
static const int leaving[] = {
    SYS_setgroups, SYS_setresgid, SYS_setresuid, SYS_capset, SYS_seccomp};

static void
on_calls(struct program *p, const int *calls, size_t n, uint32_t action)
{
	for (size_t i = 0; i < n; i++)
		on_call(p, calls[i], action);
}

static void
emit_loading(struct program *p)
{
	static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME,
	    PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP};
	const uint32_t allow = SECCOMP_RET_ALLOW;

	on_calls(p, looking, sizeof(looking) / sizeof(*looking), allow);
	on_calls(p, leaving, sizeof(leaving) / sizeof(*leaving), allow);
	on_call(p, SYS_newfstatat, allow);
	on_call(p, SYS_mmap, allow);
	on_call(p, SYS_mprotect, allow);
	allow_bits(p, SYS_openat, 2, changing, false);
	allow_bits(p, SYS_open, 1, changing, false);
	allow_value(p, SYS_prlimit64, 0, 0);
	allow_values(p, SYS_prctl, 0, prctls, 5);
}

static void
emit_instrumented(struct program *p)
{
	if (worker_is_sanitized() || worker_is_counted())
		on_calls(p, instrumented,
		    sizeof(instrumented) / sizeof(*instrumented),
		    SECCOMP_RET_ALLOW);
}

/* Leaves the call's number to be looked at. */
static void
begin(struct program *p, uint32_t refuse)
{

	p->size = 0;
	p->refuse = refuse;
	emit_load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
	emit_load(p, offsetof(struct seccomp_data, nr));
}

/* loading: by the dynamic linker, of a module that is not trusted. */
static void
build(struct program *p, int socket, int more, uint32_t refuse, bool loading)
{
	const uint32_t absent = SECCOMP_RET_ERRNO | ENOSYS;

	begin(p, refuse);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
	emit(p, BPF_JMP | BPF_JGT | BPF_K, NEWEST_CALL, 0, 1);
	emit_return(p, absent);
	_Static_assert(sizeof(allowed) / sizeof(*allowed) <= CALLS_MAX, "");
	emit_allowed(p, allowed, sizeof(allowed) / sizeof(*allowed));
	emit_instrumented(p);
	on_calls(p, unknown, sizeof(unknown) / sizeof(*unknown), absent);
	if (loading)
		emit_loading(p);
	else
		emit_loaded(p);
	emit_arguments(p, socket, more);
	emit_return(p, refuse);
}

static int
install(const struct program *p, unsigned flags)
{
	struct sock_fprog f = {
	    p->size, (struct sock_filter *)(uintptr_t)p->code};

	if (p->size > PROGRAM_MAX) {
		errno = E2BIG;
		return -1;
	}
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &f);
}

static bool
filter(int socket, int more, bool loading, int *listener)
{
	struct program p;
	int errnum;

	build(&p, socket, more, SECCOMP_RET_USER_NOTIF, loading);
	*listener = install(&p, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (*listener >= 0)
		return true;
	/* Before Linux 5.0, or somebody else is told already. */
	errnum = errno;
	build(&p, socket, more, SECCOMP_RET_ERRNO | EPERM, loading);
	if (install(&p, 0) < 0)
		return false;
	errno = errnum;
	return true;
}

bool
sandbox_filter(int socket, int more, int *listener)
{

	return filter(socket, more, false, listener);
}

bool
sandbox_filter_loading(int socket, int *listener)
{

	return filter(socket, -1, true, listener);
}

/* Other ways to open a file are refused by the first filter. */
static void
refuse_reading(struct program *p, int call, unsigned i)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 5);
	emit_load(p, argument(i));
	emit(p, BPF_ALU | BPF_AND | BPF_K, changing, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
	emit_return(p, p->refuse);
	emit_return(p, SECCOMP_RET_ALLOW);
}

/* The kernel asks all filters and does the worst that one of them says; that
 * one is told of some goes only for one filter of a process. So this one allows
 * what the other looks at. */
bool
sandbox_filter_loaded(void)
{
	const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
	struct program p;

	begin(&p, refuse);
	emit_instrumented(&p);
	on_calls(&p, looking, sizeof(looking) / sizeof(*looking), refuse);
	on_calls(&p, leaving, sizeof(leaving) / sizeof(*leaving), refuse);
	refuse_reading(&p, SYS_openat, 2);
	refuse_reading(&p, SYS_open, 1);
	emit_loaded(&p);
	emit_return(&p, SECCOMP_RET_ALLOW);
	return install(&p, 0) >= 0;
}

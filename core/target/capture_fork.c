/* SPDX-License-Identifier: MIT */
/*
 * A frozen copy of a running process, so that everything in its memory can be
 * looked at for as long as that takes while the process runs on: fork copies
 * page tables, and pages only as they are written to.
 *
 *	target's thread --clone(VM)--> middle --clone--> copy
 *
 * One of its threads, while all are stopped, makes a child that shares its
 * memory (which costs nothing), the child makes the copy and is killed, and the
 * thread waits for it. The copy thus belongs to init and not to the target,
 * which learns nothing of it: no signal, no unknown child, nothing to wait for.
 * It shares the table of open files, or a connection closed meanwhile would
 * stay open; it is never run, and PTRACE_O_EXITKILL ends it with us.
 *
 * If we are killed at any moment, the thread goes back by itself
 * (capture_inject.c), and waits for the middle child on its way: the kernel
 * itself puts the child's number into the frame by which it goes. A child that
 * was just made and is not yet held by us ends itself: its stack pointer is at
 * a frame that does exit_group.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/budget.h"
#include "target/capture_fork.h"
#include "target/procfs.h"

enum {
	CODE_CHUNK = 1 << 20,
	CODE_OVERLAP = 16,
	TRIES = 3,
	NS_PER_MS = 1000000,
	/* Beyond what is left of the pause, before it is given up. */
	PATIENCE_MS = 1000,
	/* Copying page tables: 11 to 16 ms per GiB of small pages were
	 * measured (Linux 6.18, two cores); somewhat more, to be sure. */
	MS_PER_GIB = 20
};
static const uint64_t code_most = (uint64_t)256 << 20;

static bool refuse(struct capture *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Why there is no copy; the capture goes on without. */
static bool
refuse(struct capture *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(c->fork.why, sizeof(c->fork.why), format, ap);
	va_end(ap);
	return false;
}

/* ---- before the stop ---- */

static bool
is_library(struct view path)
{
	static const char *const names[] = {"/libc.so", "/libc-", "/ld-musl"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (path.size != 0 &&
		    memmem(path.data, path.size, names[i], strlen(names[i])) !=
			NULL)
			return true;
	return false;
}

/* Looks for both pieces of code in a mapping. */
static void
search_mapping(struct taking *t, const struct procfs_mapping *m, uint8_t *chunk,
    uint64_t *left)
{
	struct capture *c = t->c;
	bt_addr_t at = m->start;

	while (at < m->end && *left != 0 &&
	    (t->call_at == 0 || t->trampoline == 0)) {
		size_t want = m->end - at < CODE_CHUNK ? (size_t)(m->end - at)
						       : CODE_CHUNK;
		ssize_t got = pread(c->mem_fd, chunk, want, (off_t)at);
		size_t offset;

		if (got <= CODE_OVERLAP)
			return;
		if (t->call_at == 0 &&
		    arch_find_call(chunk, (size_t)got, &offset))
			t->call_at = at + offset;
		if (t->trampoline == 0 &&
		    arch_find_trampoline(chunk, (size_t)got, &offset))
			t->trampoline = at + offset;
		*left -= *left < (uint64_t)got ? *left : (uint64_t)got;
		if ((size_t)got < want || want < CODE_CHUNK)
			return;
		at += (uint64_t)got - CODE_OVERLAP;
	}
}

/* In the C library first; a static program has them in its own code. */
static bool
find_code(struct taking *t)
{
	uint8_t *chunk = malloc(CODE_CHUNK);
	uint64_t left = code_most;

	for (int libraries = 1; chunk != NULL && libraries >= 0; libraries--) {
		struct view v = capture_view(&t->c->maps);
		struct procfs_mapping m;
		size_t bad = 0;

		while (procfs_next_mapping(&v, &m, &bad) &&
		    (t->call_at == 0 || t->trampoline == 0)) {
			if (m.executable && m.readable && !m.writable &&
			    m.path.size != 0 && m.path.data[0] == '/' &&
			    is_library(m.path) == (libraries == 1))
				search_mapping(t, &m, chunk, &left);
		}
	}
	free(chunk);
	return (t->call_at != 0 && t->trampoline != 0) ||
	    refuse(t->c, "no code was found in it that could be borrowed");
}

static bool
same_link(struct capture *c, const char *a, const char *b)
{
	struct stat x, y;

	return fstatat(c->mm_fd, a, &x, 0) != 0 ||
	    fstatat(c->mm_fd, b, &y, 0) != 0 || x.st_ino == y.st_ino;
}

/* Its own memory is served by it: a copy would have holes, and making one may
 * wait for a thread that we have stopped. */
static bool
has_userfaultfd(struct capture *c)
{
	int dir = openat(c->mm_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	static const char name[] = "anon_inode:[userfaultfd]";
	bool found = false;
	tid_vec fds;

	if (dir < 0)
		return false;
	vec_init(&fds, (size_t)1 << 22);
	(void)capture_tids(dir, &fds);
	for (size_t i = 0; i < fds.count && !found; i++) {
		char link[64], path[16];
		ssize_t n;

		(void)snprintf(path, sizeof(path), "%u", fds.items[i]);
		n = readlinkat(dir, path, link, sizeof(link));
		found = n == (ssize_t)sizeof(name) - 1 &&
		    memcmp(link, name, sizeof(name) - 1) == 0;
	}
	vec_deinit(&fds);
	(void)close(dir);
	return found;
}

/* The last of several numbers is that in its own namespace. */
static bool
is_init(struct view status)
{
	struct view value;
	uint64_t number = 0, last = 0;

	if (!procfs_field(status, "NSpid", &value))
		return false;
	for (unsigned i = 0; procfs_number(value, i, &number); i++)
		last = number;
	return last == 1;
}

void
fork_prepare(struct taking *t)
{
	struct capture *c = t->c;
	uint64_t kb = 0;

	if (!c->options.fork)
		return;
	(void)procfs_field_u64(capture_view(&c->status), "RssAnon", &kb);
	c->fork.kb = kb;
	if (is_init(capture_view(&c->status)))
		(void)refuse(c,
		    "it is the init process of its pid namespace, which would "
		    "inherit the copy");
	else if (!same_link(c, "ns/pid", "ns/pid_for_children"))
		(void)refuse(
		    c, "its children are born into another pid namespace");
	else if (has_userfaultfd(c))
		(void)refuse(c, "part of its memory is managed by userfaultfd");
	else
		(void)find_code(t);
}

/* ---- which thread ---- */

/*
 * One that a thread library made, not one of a coroutine, which may be short
 * and have other data below. The library has its block on top, which begins
 * with its own address (ELF Handling For Thread-Local Storage, 4.4.6); a
 * runtime without one (Go's) has stacks and what the thread pointer leads to
 * in one heap. That of the first thread is the kernel's, and its block may lie
 * above anything.
 */
static bool
is_thread_stack(const struct taking *t, const struct capture_thread *thread,
    const struct arch_thread_regs *regs, const struct capture_area *a,
    uint64_t sp)
{
	uint64_t tp, self;

	return (int32_t)thread->tid != t->c->options.pid &&
	    arch_thread_pointer(regs, &tp) && tp >= sp && tp < a->end &&
	    pread(t->c->mem_fd, &self, sizeof(self), (off_t)tp) ==
	    (ssize_t)sizeof(self) &&
	    self == tp;
}

static size_t
read_memory(void *ctx, bt_addr_t address, void *out, size_t size)
{
	const struct taking *t = ctx;
	ssize_t n = pread(t->c->mem_fd, out, size, (off_t)address);

	return n > 0 ? (size_t)n : 0;
}

/* In a signal handler whose own stack lies in the middle of this one (a local
 * array of main's): what was interrupted goes on below. */
static bool
leaves_stack_below(
    const struct taking *t, const struct capture_area *a, uint64_t sp)
{
	static const size_t most = 64 * 1024;
	size_t size = a->end - sp < most ? (size_t)(a->end - sp) : most;
	uint64_t *words = malloc(size), below;
	struct regs saved;
	bool found = false;

	size = words != NULL
	    ? read_memory((void *)(uintptr_t)t, sp, words, size)
	    : 0;
	for (size_t i = 0; i < size / sizeof(*words) && !found; i++)
		found = words[i] == t->trampoline &&
		    arch_sigframe_regs(sp + (i + 1) * sizeof(*words),
			read_memory, (void *)(uintptr_t)t, &saved) &&
		    regs_get(&saved, ARCH_SP, &below) && below < sp &&
		    below >= a->start;
	free(words);
	return found;
}

/* Room below its stack pointer where a signal's frame would lie, too. */
static bool
has_room(const struct taking *t, size_t index)
{
	const struct capture_thread *thread = &t->c->threads[index];
	struct arch_thread_regs regs = {0};
	const struct capture_area *a;
	uint64_t sp;

	if (!arch_gregs_parse(
		view_of(thread->gregs, thread->gregs_size), &regs) ||
	    !regs_get(&regs.regs, ARCH_SP, &sp) || sp < INJECT_SPACE ||
	    (a = memory_area_at(t, sp)) == NULL || !a->wanted || a->shared ||
	    sp - a->start < INJECT_SPACE)
		return false;
	if (!a->is_stack && !is_thread_stack(t, thread, &regs, a, sp))
		return false;
	if (leaves_stack_below(t, a, sp))
		return false;
	for (size_t i = 0; i < t->c->n_threads; i++) {
		const struct capture_thread *other = &t->c->threads[i];
		struct arch_thread_regs r = {0};
		uint64_t word;

		if (i == index || other->gregs_size == 0 ||
		    !arch_gregs_parse(
			view_of(other->gregs, other->gregs_size), &r))
			continue;
		if ((regs_get(&r.regs, ARCH_SP, &word) && word < sp &&
			sp - word < INJECT_SPACE) ||
		    (arch_thread_pointer(&r, &word) && word < sp &&
			sp - word < INJECT_SPACE))
			return false;
	}
	return true;
}

#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif
#ifndef PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG
#define PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211
#endif

/* In a restartable sequence: the kernel would forget to restart it. */
static bool
in_sequence(const struct taking *t, pid_t tid)
{
	struct {
		uint64_t pointer;
		uint32_t size, signature, flags, pad;
	} rseq = {0};
	uint64_t section = 0;
	const uint64_t at_section = 8;

	if (ptrace((enum __ptrace_request)PTRACE_GET_RSEQ_CONFIGURATION, tid,
		(void *)sizeof(rseq), &rseq) < 0)
		return true; /* nobody knows */
	return rseq.pointer != 0 &&
	    (pread(t->c->mem_fd, &section, sizeof(section),
		 (off_t)(rseq.pointer + at_section)) !=
		    (ssize_t)sizeof(section) ||
		section != 0);
}

static bool
dispatches_calls(pid_t tid)
{
	struct {
		uint64_t mode, selector, offset, length;
	} d = {0};

	return ptrace((enum __ptrace_request)
			  PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG,
		   tid, (void *)sizeof(d), &d) == 0 &&
	    d.mode != 0;
}

/* A filter may end the process for a call that it does not know; a shadow
 * stack does not know our return. */
static bool
is_guarded(struct taking *t, pid_t tid, const char **why)
{
	char path[32];
	struct view status, value;
	uint64_t mode = 0;

	(void)snprintf(path, sizeof(path), "task/%d/status", tid);
	buf_clear(&t->text);
	*why = "its status cannot be read";
	if (!procfs_read(t->c->proc_fd, path, &t->text))
		return true;
	status = view_of(t->text.data, t->text.size);
	*why = "it has a seccomp filter";
	if (procfs_field_u64(status, "Seccomp", &mode) && mode != 0)
		return true;
	*why = "it has a shadow stack";
	if (procfs_field(status, "x86_Thread_features", &value) &&
	    value.size != 0 &&
	    memmem(value.data, value.size, "shstk", 5) != NULL)
		return true;
	*why = "it handles system calls itself";
	return dispatches_calls(tid);
}

enum { FIT_NOT, FIT_RUNS, FIT_TIMED, FIT_BEST };

static int
fitness(const struct taking *t, size_t i)
{
	const struct capture_thread *thread = &t->c->threads[i];

	if (thread->kind != CAPTURE_STOPPED ||
	    thread->gregs_size != ARCH_GREGS_SIZE ||
	    t->tasks.items[i].inject != 0 || t->tasks.items[i].group_stop ||
	    !arch_is_64(thread->gregs))
		return FIT_NOT;
	if (!arch_in_syscall(thread->gregs))
		return FIT_RUNS;
	/* Were we to die, its call would end early (EINTR). */
	return arch_has_restart_block(thread->gregs) ? FIT_TIMED : FIT_BEST;
}

static bool
choose(struct taking *t, struct injection *in)
{
	const char *why = "no thread has a stack with room to spare";

	for (int fit = FIT_BEST; fit > FIT_NOT; fit--) {
		for (size_t i = 0; i < t->c->n_threads; i++) {
			pid_t tid = (pid_t)t->c->threads[i].tid;

			if (fitness(t, i) != fit || !has_room(t, i) ||
			    (fit == FIT_RUNS && in_sequence(t, tid)))
				continue;
			/* Filters are mostly those of all threads. */
			if (is_guarded(t, tid, &why))
				return refuse(t->c, "%s", why);
			in->tid = tid;
			t->forker = i;
			return true;
		}
	}
	return refuse(t->c, "%s", why);
}

static bool
code_is_there(const struct taking *t)
{
	uint8_t code[16];
	size_t offset;

	return pread(t->c->mem_fd, code, 3, (off_t)t->call_at) == 3 &&
	    arch_find_call(code, 3, &offset) &&
	    pread(t->c->mem_fd, code, 9, (off_t)t->trampoline) == 9 &&
	    arch_find_trampoline(code, 9, &offset) && offset == 0;
}

static bool
check(struct taking *t)
{
	struct capture *c = t->c;
	uint64_t used = (bt_now_ns() - c->pause_start) / NS_PER_MS;
	uint64_t most = c->options.max_pause_ns / NS_PER_MS;
	uint64_t cost = c->fork.kb * MS_PER_GIB / 1024 / 1024 + 1;

	for (size_t i = 0; i < c->n_threads; i++)
		if (t->tasks.items[i].group_stop)
			return refuse(c, "it is stopped by a signal");
	if (c->uninterruptible != 0 || c->refused != 0)
		return refuse(c,
		    "%zu of its threads cannot be stopped (a vfork, a disk "
		    "that does not answer)",
		    c->uninterruptible + c->refused);
	if (!code_is_there(t))
		return refuse(c, "its code has just changed");
	if (used + cost > most)
		return refuse(c,
		    "a copy of %llu MiB takes some %llu ms, and of "
		    "--max-pause=%llu there were %llu ms left",
		    (unsigned long long)(c->fork.kb / 1024),
		    (unsigned long long)cost, (unsigned long long)most,
		    (unsigned long long)(most > used ? most - used : 0));
	return true;
}

/* ---- the copy ---- */

static int
hold(pid_t child, uint64_t deadline)
{
	int status, error = inject_wait(child, deadline, &status);

	if (error == 0 && !WIFSTOPPED(status))
		return ESRCH;
	if (error == 0 &&
	    ptrace(PTRACE_SETOPTIONS, child, NULL,
		(void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD |
		    PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE)) != 0)
		return errno;
	return error;
}

/* The middle child makes the copy. */
static int
clone_copy(struct injection *in, pid_t middle, pid_t *copy)
{
	const struct arch_call call = {
	    SYS_clone, {CLONE_FILES | CLONE_FS, 0, 0, 0, 0}};
	struct injection m = *in;
	int64_t result;
	int error;

	/* Its own way on, if let go, is to its end. */
	m.tid = middle;
	*copy = 0;
	error = inject_call(&m, &call, in->leave, &result, copy);
	if (error == 0 && result < 0)
		return (int)-result;
	return error != 0 || *copy != 0 ? error : EPROTO;
}

static void
end_child(pid_t child, uint64_t deadline)
{
	int status;

	if (child <= 0)
		return;
	(void)kill(child, SIGKILL);
	while (inject_wait(child, deadline, &status) == 0 && WIFSTOPPED(status))
		(void)ptrace(PTRACE_CONT, child, NULL, NULL);
}

static int
make_middle(struct injection *in, pid_t *middle, int64_t *name)
{
	const struct arch_call call = {SYS_clone,
	    {CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_PARENT_SETTID, in->leave,
		in->chain + ARCH_FRAME_ARGUMENT, 0, 0}};
	int error = EAGAIN;

	for (int i = 0; i < TRIES; i++) {
		error = inject_call(in, &call, in->chain, name, middle);
		/* -513: somebody wants it for a moment. */
		if (error != 0 || *name != -513)
			break;
	}
	if (error == 0 && *name < 0)
		return (int)-*name;
	if (error != 0)
		return error;
	return *middle != 0 ? 0 : EPROTO;
}

/* Would it be given the copy when the middle child is gone? */
static int
adopts(struct injection *in, bool *out)
{
	const struct arch_call call = {
	    SYS_prctl, {PR_GET_CHILD_SUBREAPER, in->scratch, 0, 0, 0}};
	struct iovec local, remote;
	int64_t result;
	int32_t flag = 1;
	int error = inject_call(in, &call, in->back, &result, NULL);

	local = (struct iovec){&flag, sizeof(flag)};
	remote = (struct iovec){(void *)(uintptr_t)in->scratch, sizeof(flag)};
	if (error == 0 && result < 0)
		return (int)-result;
	if (error == 0 &&
	    process_vm_readv(in->tid, &local, 1, &remote, 1, 0) !=
		(ssize_t)sizeof(flag))
		return EFAULT;
	*out = flag != 0;
	return error;
}

static int
make_copy(struct injection *in, pid_t *copy)
{
	const uint64_t begun = bt_now_ns();
	struct arch_call wait = {SYS_wait4, {0, 0, __WALL, 0}};
	int64_t name = 0, result = 0;
	pid_t middle = 0;
	bool adopting = false;
	int error = adopts(in, &adopting), failed;

	if (error == 0 && adopting)
		return EEXIST;
	if (error == 0)
		error = make_middle(in, &middle, &name);
	if (middle == 0)
		return error;
	if (error == 0)
		error = hold(middle, in->deadline);
	if (error == 0)
		error = clone_copy(in, middle, copy);
	if (error == 0)
		error = hold(*copy, in->deadline);
	in->c->fork.ns = bt_now_ns() - begun;
	end_child(middle, in->deadline);
	wait.arguments[0] = (uint64_t)name;
	failed = in->stuck ? ETIMEDOUT
			   : inject_call(in, &wait, in->back, &result, NULL);
	return error != 0 ? error : failed;
}

/* A page of its stack reads the same in both: it is what we think it is. */
static bool
is_copy(const struct taking *t, const struct injection *in, pid_t copy)
{
	uint8_t ours[64], theirs[64];
	struct iovec local = {theirs, sizeof(theirs)};
	struct iovec remote = {(void *)(uintptr_t)in->leave, sizeof(theirs)};

	return pread(t->c->mem_fd, ours, sizeof(ours), (off_t)in->leave) ==
	    (ssize_t)sizeof(ours) &&
	    process_vm_readv(copy, &local, 1, &remote, 1, 0) ==
	    (ssize_t)sizeof(theirs) &&
	    memcmp(ours, theirs, sizeof(ours)) == 0;
}

/* When memory runs short, the copy goes first. */
static void
offer_to_oom(pid_t copy)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", copy);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4);
	(void)close(fd);
}

static bool
explain(struct capture *c, int error)
{
	char text[96];

	if (error == EEXIST)
		return refuse(c,
		    "it adopts orphans (PR_SET_CHILD_SUBREAPER) and would "
		    "inherit the copy");
	if (error == EAGAIN)
		return refuse(c,
		    "its limit of processes (RLIMIT_NPROC, pids of its cgroup) "
		    "allows no child");
	if (error == ENOMEM)
		return refuse(c, "there is not enough memory for a copy");
	return refuse(c, "it could not be made to fork: %s",
	    strerror_r(error, text, sizeof(text)));
}

bool
fork_target(struct taking *t)
{
	struct capture *c = t->c;
	struct injection in = {.c = c,
	    .call_at = t->call_at,
	    .trampoline = t->trampoline,
	    .deadline = bt_now_ns() + c->options.max_pause_ns +
		(uint64_t)PATIENCE_MS * NS_PER_MS};
	pid_t copy = 0;
	int error, back;

	if (!c->options.fork || c->fork.why[0] != '\0' || !check(t) ||
	    !choose(t, &in))
		return false;
	error = inject_begin(&in, &c->threads[t->forker]);
	if (error != 0)
		return explain(c, error);
	error = make_copy(&in, &copy);
	back = inject_end(&in);
	if (back == ESRCH)
		c->threads[t->forker].kind = CAPTURE_GONE;
	if (error == 0 && !is_copy(t, &in, copy))
		error = EPROTO;
	if (error != 0) {
		end_child(copy, in.deadline);
		return explain(c, error);
	}
	offer_to_oom(copy);
	c->fork.pid = copy;
	return true;
}

/* ---- what it does not have ---- */

static bool
add_gap(struct capture *c, bt_addr_t start, bt_addr_t end)
{
	struct capture_gap *gaps;

	if (c->fork.n_gaps == c->fork.gaps_room) {
		size_t room = c->fork.gaps_room * 2 + 64;

		gaps = capture_alloc(c, room * sizeof(*gaps));
		if (gaps == NULL)
			return false;
		if (c->fork.n_gaps != 0)
			memcpy(
			    gaps, c->fork.gaps, c->fork.n_gaps * sizeof(*gaps));
		c->fork.gaps = gaps;
		c->fork.gaps_room = room;
	}
	c->fork.gaps[c->fork.n_gaps++] = (struct capture_gap){start, end};
	return true;
}

/*
 * Memory that is empty in every child (MADV_WIPEONFORK) still belongs to the
 * target alone. What the target does not pass on at all is not mapped in the
 * copy and cannot be read there. Read of the copy, which keeps nobody waiting.
 */
bool
fork_find_gaps(struct taking *t)
{
	struct capture *c = t->c;
	struct procfs_mapping m = {0};
	struct view v, line;
	char path[64];
	bool ok = true;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", c->fork.pid);
	buf_clear(&t->text);
	if (!procfs_read(AT_FDCWD, path, &t->text))
		ok = false;
	v = view_of(t->text.data, t->text.size);
	while (ok && procfs_line(&v, &line)) {
		struct view one = line, value;
		struct procfs_mapping next;
		size_t bad = 0;

		if (line.size > 8 && memcmp(line.data, "VmFlags:", 8) == 0) {
			if (procfs_field(line, "VmFlags", &value) &&
			    value.size != 0 &&
			    memmem(value.data, value.size, "wf", 2) != NULL)
				ok = add_gap(c, m.start, m.end);
		} else if (procfs_next_mapping(&one, &next, &bad)) {
			m = next;
		}
	}
	if (!ok)
		(void)refuse(c, "what the copy has could not be listed");
	return ok;
}

void
fork_end(struct capture *c)
{
	const uint64_t patience = UINT64_C(1000000000);

	end_child(c->fork.pid, bt_now_ns() + patience);
	c->fork.pid = 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A live process may be sitting in its own crash handler, which waits, works,
 * or has started us: then it has a signal, the one the handler deals with, and
 * the thread in the handler is the one that faulted. What it was is on its
 * stack, in the frame that the kernel made for the handler. It counts only in
 * the stack as it is unwound, and only for signals that end a process when
 * nobody catches them because something went wrong in it. What an earlier
 * signal left in the same place must not be taken for this one's: the blocked
 * signals tell them apart.
 *
 * A handler that returns mends something: collectors and databases write to
 * pages that are protected to learn of it, Go and Lisp make an error of the
 * language out of a null pointer. To meet one in the middle of it is chance, so
 * a second look decides: who is still in its handler while the process runs on
 * deals with a crash.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "session/session_private.h"
#include "target/capture.h"
#include "target/handled.h"
#include "target/procfs.h"

/* Not SIGSYS: sandboxes catch it for each call that their filter traps, do the
 * call elsewhere, and go on (Chromium's do so all the time). A thread in such a
 * handler looks as one in which something went wrong, and what it waits for
 * does not tell either; a crash of it is told by the core that it leaves. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};

static uint64_t
bit_of(int number)
{
	return number > 0 && number <= 64 ? UINT64_C(1) << (number - 1) : 0;
}

static bool
is_caught_fault(const struct target_process *p, int number)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i] == number)
			return (p->caught & bit_of(number)) != 0;
	return false;
}

/* The frame of a signal, and what was blocked outside and inside of its
 * handler. */
struct handler {
	bt_addr_t sp;
	bool masks;
	uint64_t before, within;
};

static enum target_handler
handler_of(const struct handler *h, int number)
{
	return h->masks ? target_handler_of(number, h->before, h->within)
			: TARGET_HANDLER_UNKNOWN;
}

/* Nobody is a sender outside of our namespace, or what zeros look like. */
static bool
believable_sender(
    const struct handler *h, const struct target_signal *signal, bool clean)
{
	enum target_handler of = handler_of(h, signal->number);

	return of == TARGET_HANDLER_OF_IT ||
	    (of == TARGET_HANDLER_UNKNOWN && clean && signal->sender_pid != 0);
}

/* What it was made for. */
static bool
signal_at(struct session *s, const struct target_thread *t,
    const struct handler *h, struct target_signal *out)
{
	const struct target_process *p = target_process(s->target);
	struct target_handled handled;
	bool alone = p->inner_pid == p->pid; /* the thread's id is inner, too */
	bool clean;

	if (target_handled_at(s->target, &t->regs, h->sp, &handled) &&
	    handler_of(h, handled.signal.number) != TARGET_HANDLER_OF_ANOTHER) {
		*out = handled.signal;
		return is_caught_fault(p, out->number);
	}
	if (!(target_sent_at(s->target, h->sp, out, &clean) &&
		believable_sender(h, out, clean)) &&
	    !(alone && target_raised_at(s->target, h->sp, p->pid, t->tid, out)))
		return false;
	/* We know the process by another number than it does. */
	if (out->sender_pid == p->inner_pid)
		out->sender_pid = p->pid;
	return is_caught_fault(p, out->number);
}

/* The outermost is what began it; those further in are faults of handlers.
 * *added: what it blocks that was not blocked before; 0: unknown. */
static bool
signal_of(struct session *s, const struct target_thread *t,
    struct target_signal *out, uint64_t *added)
{
	const struct unwind_stack *stack = &s->stack;
	struct handler h = {.masks = t->has_blocked, .before = t->blocked};
	struct target_signal signal;
	bool found = false;

	if (!t->has_regs)
		return false;
	s->walked = NULL;
	unwind_thread(s->unwinder, t, &s->stack);
	for (size_t i = 0; i < stack->frames.count; i++) {
		const struct unwind_frame *f = stack->frames.items[i];

		if (!f->signal_frame || !regs_get(&f->regs, ARCH_SP, &h.sp))
			continue;
		/* What the inner one interrupted is the outer one's handler. */
		h.within = h.before;
		h.masks = h.masks &&
		    target_blocked_at(s->target, h.sp, &h.before);
		if (signal_at(s, t, &h, &signal)) {
			s->handled_sp = h.sp;
			*out = signal;
			*added = h.masks ? h.within & ~h.before : 0;
			found = true;
		}
	}
	return found;
}

/* ---- the second look ---- */

struct look {
	char state;
	uint64_t blocked, caught;
	bool dumping; /* its core is being written */
};

static bool
look_at(int fd, struct look *out)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	struct view all, state, blocked, caught;
	uint64_t dumping = 0;

	if (n <= 0)
		return false;
	all = view_of(text, (size_t)n);
	if (!procfs_field(all, "State", &state) || state.size == 0 ||
	    !procfs_field(all, "SigBlk", &blocked) ||
	    !procfs_mask(blocked, &out->blocked) ||
	    !procfs_field(all, "SigCgt", &caught) ||
	    !procfs_mask(caught, &out->caught))
		return false;
	(void)procfs_field_u64(all, "CoreDumping", &dumping);
	out->state = (char)state.data[0];
	out->dumping = dumping != 0;
	return true;
}

/* One that has put the default action in the place of its handler returns in
 * order to die. */
static bool
lives_on(const struct look *now, int number)
{

	return !now->dumping && !procfs_is_dead(now->state) &&
	    (now->caught & bit_of(number)) != 0;
}

/*
 * What no handler writes to, but whoever runs on behind it does: the frame of
 * the signal, and the stack where it was interrupted, of its callers; below,
 * too, if the handler has a stack of its own.
 */
enum { TRACES_FRAME = 432, TRACES_STACK = 128, TRACES_BELOW = 512 };

struct traces {
	bt_addr_t at[2];
	size_t size[2];
	uint8_t bytes[2][TRACES_STACK + TRACES_BELOW];
};

static size_t
read_target(void *ctx, bt_addr_t address, void *out, size_t size)
{

	return target_read(ctx, address, out, size);
}

static void
find_traces(struct session *s, struct traces *out)
{
	const bt_addr_t near = 65536;
	bt_addr_t sp = s->handled_sp, back;
	struct regs saved;

	memset(out, 0, sizeof(*out));
	out->at[0] = sp;
	out->size[0] = TRACES_FRAME;
	if (arch_sigframe_regs(sp, read_target, s->target, &saved) &&
	    regs_get(&saved, ARCH_SP, &back)) {
		bool same = back > sp && back - sp < near;

		out->at[1] = same ? back : back - TRACES_BELOW;
		out->size[1] = TRACES_STACK + (same ? 0 : TRACES_BELOW);
	}
	for (unsigned i = 0; i < 2; i++)
		if (target_read(s->target, out->at[i], out->bytes[i],
			out->size[i]) != out->size[i])
			out->size[i] = 0;
}

/* As it is now, whatever was captured. */
static bool
has_changed(const struct session *s, const struct traces *before)
{
	int fd = s->options->capture->mem_fd;
	uint8_t now[sizeof(before->bytes[0])];

	for (unsigned i = 0; i < 2; i++)
		if (before->size[i] != 0 &&
		    pread(fd, now, before->size[i], (off_t)before->at[i]) ==
			(ssize_t)before->size[i] &&
		    memcmp(now, before->bytes[i], before->size[i]) != 0)
			return true;
	return false;
}

/* Other signals are blocked meanwhile than by the handler: the mask tells
 * nothing. */
static bool
waits_with_mask(const struct target_thread *t)
{
	uint64_t arguments[6];
	int64_t number;

	return arch_syscall(&t->regs, &number, arguments) &&
	    (number == SYS_rt_sigsuspend || number == SYS_ppoll ||
		number == SYS_pselect6 || number == SYS_epoll_pwait);
}

/* On a busy machine one that wants to run may get no turn for some time. */
static bool
has_returned(struct session *s, const struct target_thread *t, int signal,
    uint64_t added)
{
	enum { TICK_NS = 1000000, ASLEEP_TICKS = 100, AWAKE_TICKS = 400 };
	const struct timespec tick = {.tv_nsec = TICK_NS};
	struct traces traces;
	char name[16];
	struct look now;
	bool found = false;
	int fd;

	if (waits_with_mask(t))
		added = 0;
	if (added == 0)
		find_traces(s, &traces);
	(void)snprintf(name, sizeof(name), "%u", (unsigned)t->tid);
	fd = opener_open(s->opener, OPENER_THREAD, name, NULL);
	for (int i = 0; fd >= 0 && !found && session_has_time(s); i++) {
		if (!look_at(fd, &now) ||
		    i >= (now.state == 'R' ? AWAKE_TICKS : ASLEEP_TICKS))
			break;
		found = lives_on(&now, signal) &&
		    (added != 0 ? (now.blocked & added) != added
				: has_changed(s, &traces));
		if (!found)
			(void)nanosleep(&tick, NULL);
	}
	if (fd >= 0)
		(void)close(fd);
	return found;
}

/* ---- all threads ---- */

static bool
catches_faults(const struct target_process *p)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if ((p->caught & bit_of(faults[i])) != 0)
			return true;
	return false;
}

void
collect_handled(struct session *s)
{
	const struct session_options *o = s->options;
	const struct target_process *p = target_process(s->target);
	struct target_thread *threads;
	size_t n = target_threads(s->target, &threads);
	struct target_signal found;
	uint64_t added = 0;

	if (!p->live || target_signal(s->target)->present || !catches_faults(p))
		return;
	for (size_t i = 0; i < n && session_has_time(s); i++) {
		if (!session_wants_thread(o, threads[i].tid) ||
		    (o->fault_thread != 0 &&
			o->fault_thread != threads[i].tid) ||
		    !signal_of(s, &threads[i], &found, &added))
			continue;
		if (has_returned(s, &threads[i], found.number, added)) {
			s->handled_sp = 0;
			continue;
		}
		threads[i].fault = true;
		threads[i].signal = found;
		target_set_signal(s->target, &found);
		return;
	}
}

/* The frame behind that of the handler, where it happened, so that the call
 * stack of what went wrong begins there. */
void
collect_handled_frame(struct session *s)
{
	struct snapshot *out = s->snapshot;
	const struct snap_thread *t =
	    s->handled_sp != 0 ? snapshot_fault_thread(out) : NULL;

	for (uint32_t i = 0; t != NULL && i + 1 < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];

		if (!f->signal_frame || !f->has_sp || f->sp != s->handled_sp)
			continue;
		out->fault.present = true;
		out->fault.tid = t->tid;
		out->fault.frame = i + 1;
		return;
	}
}

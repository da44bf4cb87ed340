/* SPDX-License-Identifier: MIT */
/*
 * Threads: which ones, in which order, their registers and their stacks.
 */
#include <stdio.h>

#include "session/session_private.h"

bool
session_wants_thread(const struct session_options *o, uint32_t tid)
{
	if (o->n_threads == 0)
		return true;
	for (size_t i = 0; i < o->n_threads; i++)
		if (o->threads[i] == tid)
			return true;
	return false;
}

static struct target_thread *
thread_by_tid(struct target_thread *threads, size_t n, uint32_t tid)
{
	for (size_t i = 0; i < n; i++)
		if (threads[i].tid == tid)
			return &threads[i];
	return NULL;
}

static void
warn(struct session *s, const char *code, const char *what, uint32_t tid)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s %u: the %s has no such thread",
	    what, tid, target_process(s->target)->live ? "process" : "core");
	snapshot_warn(s->snapshot, "threads", code, "%s", text);
	if (s->sink->log != NULL)
		s->sink->log(s->sink->ctx, SESSION_WARNING, text);
}

/* The user's word, then the core's; --faulted takes the first thread of a core
 * that names none. NULL: nothing is faulted. */
static struct target_thread *
choose_fault(struct session *s, struct target_thread *threads, size_t n)
{
	const struct session_options *o = s->options;

	if (o->fault_thread != 0) {
		struct target_thread *t = thread_by_tid(
		    threads, n, o->fault_thread);

		if (t != NULL)
			return t;
		warn(s, "fault-thread", "--fault-thread", o->fault_thread);
	}
	for (size_t i = 0; i < n; i++)
		if (threads[i].fault)
			return &threads[i];
	return o->faulted && n != 0 ? &threads[0] : NULL;
}

static void
fill_registers(
    struct session *s, const struct target_thread *t, struct snap_thread *out)
{
	const char *names[SESSION_REGISTERS_MAX];
	uint64_t values[SESSION_REGISTERS_MAX];
	uint32_t n = 0;

	if (t->has_regs == false)
		return;
	while (n < SESSION_REGISTERS_MAX &&
	    arch_reg_list(&t->regs, n, &names[n], &values[n]))
		n++;
	out->registers = arena_array(
	    &s->snapshot->arena, n, sizeof(*out->registers));
	if (out->registers == NULL)
		return;
	out->n_registers = n;
	for (uint32_t i = 0; i < n; i++)
		/* The names are constants. */
		out->registers[i] = (struct snap_register){names[i], values[i]};
}

static void
fill_kernel_frames(
    struct session *s, const struct target_thread *t, struct snap_thread *out)
{
	if (t->n_kernel_frames == 0)
		return;
	out->kernel_frames = arena_array(&s->snapshot->arena,
	    t->n_kernel_frames, sizeof(*out->kernel_frames));
	if (out->kernel_frames == NULL)
		return;
	for (size_t i = 0; i < t->n_kernel_frames; i++)
		out->kernel_frames[i] = snapshot_string(
		    s->snapshot, t->kernel_frames[i]);
	out->n_kernel_frames = (uint32_t)t->n_kernel_frames;
}

/* The snapshot's threads in their order, with everything but frames. */
void
collect_threads_begin(struct session *s)
{
	struct target_thread *threads, *fault;
	size_t n = target_threads(s->target, &threads);

	fault = s->fault = choose_fault(s, threads, n);
	s->threads = arena_array(&s->scratch, n + 1, sizeof(*s->threads));
	if (s->threads == NULL)
		return;
	if (fault != NULL && session_wants_thread(s->options, fault->tid))
		s->threads[s->n_threads++] = fault;
	for (size_t i = 0; i < n; i++)
		if (&threads[i] != fault &&
		    session_wants_thread(s->options, threads[i].tid))
			s->threads[s->n_threads++] = &threads[i];
	for (size_t i = 0; i < s->options->n_threads; i++)
		if (thread_by_tid(threads, n, s->options->threads[i]) == NULL)
			warn(s, "thread", "--thread", s->options->threads[i]);
	if (fault != NULL)
		snapshot_attr_int(s->snapshot, "fault.thread", fault->tid);
}

/* ---- frames of one thread ---- */

struct fill {
	struct snap_thread *thread;
	uint32_t room;
};

static bool
fill_frame(void *ctx, const struct frame_step *step)
{
	struct fill *fill = ctx;
	struct snap_frame *out;

	if (fill->thread->n_frames == fill->room)
		return false;
	out = &fill->thread->frames[fill->thread->n_frames++];
	out->location = step->location;
	out->ip = step->frame->pc;
	out->has_sp = regs_get(&step->frame->regs, ARCH_SP, &out->sp);
	out->signal_frame = step->frame->signal_frame;
	out->trust = unwind_trust_name(step->frame->trust);
	return true;
}

/* Where in the frames shown the gap of a very deep stack lies. */
struct gap {
	size_t physical;
	uint64_t shown;
};

static bool
find_gap(void *ctx, const struct frame_step *step)
{
	struct gap *gap = ctx;

	if (step->index >= gap->physical)
		return false;
	gap->shown++;
	return true;
}

static void
fill_stop(struct session *s, struct snap_thread *out)
{
	const struct unwind_stack *stack = s->shown;
	const char *text = unwind_stop_text(stack->stop);

	out->stop_reason = stack->stop_address != 0
	    ? snapshot_printf(s->snapshot, "%s (0x%llx)", text,
		  (unsigned long long)stack->stop_address)
	    : snapshot_string(s->snapshot, text);
	if (stack->skipped != 0) {
		struct gap gap = {stack->skipped_at, 0};

		(void)walk_each(s, find_gap, &gap);
		out->frames_skipped = stack->skipped;
		out->frames_skipped_at = gap.shown;
	}
}

static void
fill_frames(
    struct session *s, const struct target_thread *t, struct snap_thread *out)
{
	struct fill fill = {.thread = out};

	walk_thread(s, t);
	fill.room = walk_count(s);
	out->frames = arena_array(
	    &s->snapshot->arena, fill.room, sizeof(*out->frames));
	if (out->frames == NULL) {
		snapshot_warn(s->snapshot, "threads", "limit",
		    "thread %u: no room for its %u frames", t->tid, fill.room);
		session_mark_partial(s);
		return;
	}
	(void)walk_each(s, fill_frame, &fill);
	fill_stop(s, out);
	if (s->stats != NULL)
		s->stats->frames += out->n_frames;
}

/* The one that keeps a processor busy is often what is looked for. */
static void
tell_busy(
    struct session *s, const struct target_thread *t, struct snap_thread *out)
{
	if (t->busy_ns == 0)
		return;
	snapshot_annotate(s->snapshot, &out->annotations, SNAP_COMMENT, NULL,
	    snapshot_printf(s->snapshot,
		"CPU-bound: at two looks it ran or waited for a processor, and "
		"did nothing else in the %.1f ms between them",
		(double)t->busy_ns / 1e6));
}

void
collect_thread(struct session *s, uint32_t index)
{
	const struct target_thread *t = s->threads[index];
	struct snap_thread *out = vec_push(&s->snapshot->threads);

	if (out == NULL)
		return;
	out->tid = t->tid;
	out->name = snapshot_string(s->snapshot, t->name);
	out->fault = t == s->fault;
	out->state = out->fault ? 'F' : t->state != '\0' ? t->state : '?';
	out->stop_reason = "";
	fill_registers(s, t, out);
	fill_kernel_frames(s, t, out);
	tell_busy(s, t, out);
	/* Registers are had for all threads; stacks as long as there is time.
	 */
	if (session_has_time(s))
		fill_frames(s, t, out);
	else
		out->stop_reason = snapshot_string(
		    s->snapshot, unwind_stop_text(UNWIND_STOP_BUDGET));
}

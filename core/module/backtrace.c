/* SPDX-License-Identifier: MIT */
/*
 * The objects a module walks: backtrace, threads, frames.
 */
#include "module/module_private.h"

ptrace_target_t *
ptrace_backtrace_target(ptrace_backtrace_t *bt)
{

	return &bt->host->target_handle;
}

ptrace_thread_t *
ptrace_backtrace_fault_thread(ptrace_backtrace_t *bt)
{
	struct module_host *host = bt->host;

	for (uint32_t i = 0; i < host->n_threads; i++)
		if (host->snapshot->threads.items[i].fault)
			return &host->threads[i];
	return NULL;
}

uint32_t
ptrace_backtrace_n_threads(ptrace_backtrace_t *bt)
{

	return bt->host->n_threads;
}

ptrace_thread_t *
ptrace_backtrace_thread(ptrace_backtrace_t *bt, uint32_t i)
{

	return i < bt->host->n_threads ? &bt->host->threads[i] : NULL;
}

uint32_t
ptrace_thread_tid(const ptrace_thread_t *t)
{

	return module_snap_thread(t)->tid;
}

bool
ptrace_thread_fault(const ptrace_thread_t *t)
{

	return module_snap_thread(t)->fault;
}

ptrace_backtrace_t *
ptrace_thread_backtrace(ptrace_thread_t *t)
{

	return &t->host->backtrace;
}

uint32_t
ptrace_thread_n_frames(const ptrace_thread_t *t)
{

	return t->linked ? t->n_order : module_snap_thread(t)->n_frames;
}

uint32_t
ptrace_thread_n_kframes(const ptrace_thread_t *t)
{

	return module_snap_thread(t)->n_kernel_frames;
}

/* One by one: of a deep stack few are looked at. */
ptrace_frame_t *
module_found_frame(ptrace_thread_t *t, uint32_t i)
{
	ptrace_frame_t *f;

	if (t->frames == NULL) {
		uint32_t n = module_snap_thread(t)->n_frames;

		t->frames = arena_array(&t->host->arena, n, sizeof(*t->frames));
		t->n_frames = t->frames != NULL ? n : 0;
	}
	if (i >= t->n_frames)
		return NULL;
	f = &t->frames[i];
	if (t->linked)
		return f; /* they all were made */
	/* Without a look at what is there: to read a fresh page first costs a
	 * second fault, and an interrupt of the other processor. */
	f->host = t->host;
	f->thread = t;
	f->index = i;
	if (i >= t->frames_end)
		t->frames_end = i + 1;
	return f;
}

ptrace_frame_t *
ptrace_thread_frame(ptrace_thread_t *t, uint32_t i)
{
	ptrace_frame_t **order;

	if (t->linked == false)
		return module_found_frame(t, i);
	order = module_frame_order(t);
	return order != NULL && i < t->n_order ? order[i] : NULL;
}

ptrace_thread_t *
ptrace_frame_thread(ptrace_frame_t *f)
{

	return f->thread;
}

uint32_t
ptrace_frame_index(const ptrace_frame_t *f)
{

	return f->index;
}

bt_addr_t
ptrace_frame_ip(const ptrace_frame_t *f)
{

	return module_snap_frame(f)->ip;
}

const char *
ptrace_frame_symbol(const ptrace_frame_t *f)
{

	return module_snap_frame(f)->location->symbol;
}

const char *
ptrace_frame_object(const ptrace_frame_t *f)
{

	return module_snap_frame(f)->location->object;
}

const char *
ptrace_frame_path(const ptrace_frame_t *f)
{

	return module_snap_frame(f)->location->path;
}

uint32_t
ptrace_frame_line(const ptrace_frame_t *f)
{

	return module_snap_frame(f)->location->line;
}

bool
ptrace_frame_inline(const ptrace_frame_t *f)
{

	return module_snap_frame(f)->location->is_inline;
}

bool
ptrace_frame_signal(const ptrace_frame_t *f)
{

	return module_snap_frame(f)->signal_frame;
}

bool
ptrace_frame_stack_pointer(const ptrace_frame_t *f, uint64_t *out)
{
	const struct snap_frame *frame = module_snap_frame(f);

	*out = frame->sp;
	return frame->has_sp;
}

uint64_t
ptrace_thread_frames_skipped(const ptrace_thread_t *t)
{

	return module_snap_thread(t)->frames_skipped;
}

/* The fault module knows the frame; before it has spoken it is the innermost
 * one that is not a signal handler's. */
bool
ptrace_frame_fault(const ptrace_frame_t *f)
{
	const struct snap_fault *fault = &f->host->snapshot->fault;
	const struct snap_thread *t;
	uint32_t at = 0;

	if (f->thread == NULL || f->own != NULL)
		return false;
	t = module_snap_thread(f->thread);
	if (t->fault == false)
		return false;
	if (fault->present && fault->tid == t->tid)
		return f->index == fault->frame;
	for (uint32_t i = 0; i < t->n_frames && i < 64; i++)
		if (t->frames[i].signal_frame)
			at = i + 1;
	return f->index == at;
}

uint32_t
ptrace_frame_decl_line(ptrace_frame_t *f)
{

	if (f->has_decl_line == false && f->thread != NULL)
		module_decl_lines(f->host, f->thread);
	return f->decl_line;
}

int32_t
ptrace_backtrace_pid(ptrace_backtrace_t *bt)
{

	return target_process(bt->host->target)->pid;
}

const char *
ptrace_backtrace_application_name(ptrace_backtrace_t *bt)
{
	const struct snap_attribute *a = snapshot_attr_find(
	    bt->host->snapshot, "application");
	const char *comm = target_process(bt->host->target)->comm;

	if (a != NULL && a->kind == SNAP_ATTR_STRING)
		return a->value.s;
	return comm != NULL ? comm : "";
}

const char *
module_state_name(char letter)
{
	static const struct {
		char letter;
		const char *name;
	} states[] = {{'R', "running"}, {'S', "sleeping"}, {'D', "disk"},
	    {'T', "stopped"}, {'t', "traced"}, {'Z', "zombie"}, {'X', "dead"},
	    {'I', "idle"}, {'B', "blocked"}, {'Q', "queued"}};

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (states[i].letter == letter)
			return states[i].name;
	return "unknown";
}

const char *
ptrace_thread_state(const ptrace_thread_t *t)
{

	return module_state_name(t->target != NULL ? t->target->state : '\0');
}

/* A core is of a process that ended; a live one tells its main thread's state
 * as /proc does. */
const char *
ptrace_backtrace_process_state(ptrace_backtrace_t *bt)
{
	const struct target_process *p = target_process(bt->host->target);
	struct target_thread *threads;
	size_t n = target_threads(bt->host->target, &threads);

	for (size_t i = 0; i < n; i++)
		if (threads[i].tid == (uint32_t)p->pid)
			return module_state_name(threads[i].state);
	return "unknown";
}

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

	return module_snap_thread(t)->n_frames;
}

ptrace_frame_t *
ptrace_thread_frame(ptrace_thread_t *t, uint32_t i)
{
	uint32_t n = module_snap_thread(t)->n_frames;

	if (i >= n)
		return NULL;
	if (t->frames == NULL) {
		t->frames = arena_array(
		    &t->host->snapshot->arena, n, sizeof(*t->frames));
		if (t->frames == NULL)
			return NULL;
		for (uint32_t j = 0; j < n; j++)
			t->frames[j] = (struct ptrace_frame){t, j};
	}
	return &t->frames[i];
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

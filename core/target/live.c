/* SPDX-License-Identifier: MIT */
/*
 * Opening a captured process: the text of /proc and the registers that the
 * capture holds become mappings, threads and facts; then the common part takes
 * over as with a core.
 */
#include <elf.h>
#include <stdio.h>

#include "target/capture_private.h"
#include "target/live_private.h"
#include "target/procfs.h"

static const size_t files_max = (size_t)1 << 22;
enum { KERNEL_FRAMES_MAX = 64, ARGS_MAX = 4096 };

static void
live_close(struct target *t)
{
	struct live *l = (struct live *)t;

	target_deinit(t);
	live_memory_deinit(l);
	vec_deinit(&l->file_places);
	free(l);
}

static const struct target_ops live_ops = {
    .view = live_view,
    .fetch = live_fetch,
    .close = live_close,
    .is_live = true,
};

/* ---- mappings ---- */

/* The first mapping of each file says where the file is to be had. */
static bool
add_place(struct live *l, const struct procfs_mapping *m, const char *path)
{
	size_t n = l->file_places.count;
	struct live_file *f;

	if (path[0] != '/' || m->offset != 0 ||
	    (n != 0 && l->file_places.items[n - 1].path == path))
		return true;
	f = vec_push(&l->file_places);
	if (f == NULL)
		return false;
	*f = (struct live_file){m->start, m->end, m->inode, path};
	return true;
}

static bool
add_mapping(struct live *l, const struct procfs_mapping *m)
{
	struct target *t = &l->base;
	struct load_range *load = vec_push(&t->loads);
	struct file_range *file;
	char path[4096];

	if (load == NULL)
		return false;
	load->start = m->start;
	load->end = m->end;
	load->perms = (m->readable ? TARGET_R : 0u) |
	    (m->writable ? TARGET_W : 0u) | (m->executable ? TARGET_X : 0u) |
	    (m->shared ? TARGET_SHARED : 0u);
	if (m->path.size == 0)
		return true;
	if ((file = vec_push(&t->files)) == NULL)
		return false;
	file->start = m->start;
	file->end = m->end;
	file->offset = m->offset;
	file->path = strings_addn(
	    &t->strings, path, procfs_path(m->path, path, sizeof(path)));
	return add_place(l, m, file->path);
}

static bool
read_mappings(struct live *l, bt_error_t *e)
{
	struct view v = capture_view(&l->capture->maps);
	struct procfs_mapping m;
	size_t bad = 0;

	while (procfs_next_mapping(&v, &m, &bad)) {
		if (!budget_step(l->base.budget))
			break;
		if (!add_mapping(l, &m))
			return bt_fail(
			    e, BT_E_NOMEM, "out of memory for mappings");
	}
	if (bad != 0)
		target_warn(&l->base, "live.maps",
		    "%zu lines of /proc/PID/maps are unintelligible", bad);
	if (l->base.loads.count == 0)
		return bt_fail(e, BT_E_GONE,
		    "process %d has no memory: it has just ended",
		    l->capture->options.pid);
	return true;
}

/* ---- threads ---- */

static void
read_kernel_frames(
    struct live *l, const struct capture_thread *from, struct target_thread *to)
{
	struct view v = capture_view(&from->kernel), frame;
	const char *frames[KERNEL_FRAMES_MAX];
	size_t n = 0;

	while (n < KERNEL_FRAMES_MAX && procfs_next_kernel_frame(&v, &frame))
		frames[n++] = strings_addn(
		    &l->base.strings, (const char *)frame.data, frame.size);
	if (n == 0)
		return;
	to->kernel_frames = arena_array(
	    &l->base.arena, n, sizeof(*to->kernel_frames));
	if (to->kernel_frames == NULL)
		return;
	memcpy(to->kernel_frames, frames, n * sizeof(*frames));
	to->n_kernel_frames = n;
}

static void
read_context(const struct capture_thread *from, struct target_thread *to)
{
	struct arch_thread_regs *regs = &to->regs;

	if (from->gregs_size != 0) {
		to->has_regs = arch_gregs_parse(
		    view_of(from->gregs, from->gregs_size), regs);
		regs->xstate = from->xstate;
		regs->xstate_size = from->xstate_size;
		regs->xstate_is_fx = from->xstate_is_fx;
	} else if (from->kind == CAPTURE_UNINTERRUPTIBLE && from->has_context) {
		/* All the kernel shows of a thread that cannot be stopped. */
		arch_syscall_regs(regs, from->context.number,
		    from->context.arguments, from->context.sp,
		    from->context.pc);
		to->has_regs = true;
	}
}

static bool
add_thread(struct live *l, const struct capture_thread *from)
{
	struct target_thread *to;

	if (from->kind == CAPTURE_GONE)
		return true;
	to = vec_push(&l->base.threads);
	if (to == NULL)
		return false;
	to->tid = from->tid;
	to->state = from->kind == CAPTURE_ZOMBIE ? 'Z' : from->state;
	if (from->name[0] != '\0')
		to->name = strings_add(&l->base.strings, from->name);
	read_context(from, to);
	read_kernel_frames(l, from, to);
	to->busy_ns = from->busy_ns;
	to->has_blocked = from->has_blocked;
	to->blocked = from->blocked;
	if (from->has_siginfo)
		target_siginfo_parse(
		    view_of(from->siginfo, sizeof(from->siginfo)), &to->signal);
	return true;
}

static bool
read_threads(struct live *l, bt_error_t *e)
{
	const struct capture *c = l->capture;

	for (size_t i = 0; i < c->n_threads; i++) {
		if (!add_thread(l, &c->threads[i]))
			return bt_fail(
			    e, BT_E_NOMEM, "out of memory for threads");
	}
	if (c->uninterruptible != 0)
		target_warn(&l->base, "live.uninterruptible",
		    "%zu threads are blocked in the kernel (a vfork, a disk "
		    "that does not answer) and could not be stopped; of them "
		    "only the registers of the system call are known",
		    c->uninterruptible);
	if (c->refused != 0)
		target_warn(&l->base, "live.refused",
		    "%zu threads may not be traced and have no registers",
		    c->refused);
	return true;
}

/* ---- the process ---- */

/* Arguments are separated by NULs; the last may have been overwritten with
 * something else by the program (a title). */
static const char *
read_args(struct live *l)
{
	const struct capture_text *from = &l->capture->cmdline;
	size_t size = from->size < ARGS_MAX ? from->size : ARGS_MAX;
	char text[ARGS_MAX];

	while (size != 0 &&
	    (from->data[size - 1] == '\0' || from->data[size - 1] == ' '))
		size--;
	if (size == 0)
		return NULL;
	memcpy(text, from->data, size);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\0')
			text[i] = ' ';
	}
	return strings_addn(&l->base.strings, text, size);
}

/* Its number where it lives, when that is another namespace than ours:
 * "NStgid: 4711 1". */
static int32_t
inner_pid(const struct capture *c)
{
	int32_t inner = c->options.pid;
	struct view ids;
	uint64_t id;

	if (!procfs_field(capture_view(&c->status), "NStgid", &ids))
		return inner;
	for (unsigned n = 0; procfs_number(ids, n, &id) && id <= INT32_MAX; n++)
		inner = (int32_t)id;
	return inner;
}

/* "SigCgt: 0000000000010002", in hexadecimal digits. */
static uint64_t
caught_signals(const struct capture *c)
{
	uint64_t mask = 0;
	struct view value;

	if (!procfs_field(capture_view(&c->status), "SigCgt", &value) ||
	    !procfs_mask(value, &mask))
		return 0;
	return mask;
}

static void
read_process(struct live *l)
{
	struct target_process *p = &l->base.process;
	const struct capture *c = l->capture;
	struct procfs_stat stat;
	uint64_t id;

	p->pid = c->options.pid;
	p->from_gcore = true;
	p->live = true;
	p->frozen = c->fork.pid != 0;
	p->inner_pid = inner_pid(c);
	p->caught = caught_signals(c);
	p->args = read_args(l);
	l->base.given[0] = capture_view(&c->cmdline);
	l->base.given[1] = capture_view(&c->environ);
	if (procfs_parse_stat(capture_view(&c->stat), &stat)) {
		p->ppid = stat.ppid;
		p->pgrp = stat.pgrp;
		p->sid = stat.session;
		p->comm = strings_add(&l->base.strings, stat.comm);
		p->has_ids = true;
	}
	if (procfs_field_u64(capture_view(&c->status), "Uid", &id))
		p->uid = (uint32_t)id;
	else
		p->has_ids = false;
	if (procfs_field_u64(capture_view(&c->status), "Gid", &id))
		p->gid = (uint32_t)id;
}

static void
read_auxv(struct live *l)
{
	struct view v = capture_view(&l->capture->auxv);

	while (view_left(&v) >= 16) {
		struct auxv_entry a, *entry;

		a.type = view_u64(&v);
		a.value = view_u64(&v);
		if (a.type == AT_NULL ||
		    (entry = vec_push(&l->base.auxv)) == NULL)
			return;
		*entry = a;
	}
}

/* The link knows the executable even when nothing of it is mapped any more. */
static void
name_exe(struct live *l)
{
	const struct capture_text *exe = &l->capture->exe;
	const char *path;
	bool deleted;

	if (exe->size == 0)
		return;
	path = strings_addn(
	    &l->base.strings, (const char *)exe->data, exe->size);
	l->base.process.exe = module_file_path(&l->base, path, &deleted);
	if (deleted)
		target_warn(&l->base, "live.deleted",
		    "the executable %s was deleted or replaced after the "
		    "process had started",
		    target_show(&l->base, l->base.process.exe));
}

static void
warn_incomplete(struct live *l)
{
	const struct capture *c = l->capture;

	l->base.process.cut_short = c->progress != CAPTURE_COMPLETE;
	if (l->base.process.cut_short)
		target_warn(&l->base, "live.incomplete",
		    "the capture was cut short; only memory up to there is as "
		    "it was during the stop");
	else if ((c->left_out != 0 && !l->base.process.frozen) || c->full)
		target_warn(&l->base, "live.pause",
		    "the pause of %llu ms (--max-pause=%llu) or the room for "
		    "the capture was spent before %llu kB could be copied; "
		    "they are read from the running process",
		    (unsigned long long)(c->pause_ns / 1000000),
		    (unsigned long long)(c->options.max_pause_ns / 1000000),
		    (unsigned long long)(c->left_out / 1024));
	if (!l->base.process.cut_short && c->pause_ns > c->options.max_pause_ns)
		target_warn(&l->base, "live.pause.overrun",
		    "the process stood still for %llu ms, %llu ms more than "
		    "--max-pause allows: stopping %zu threads and reading "
		    "their registers took %llu ms, and is always completed",
		    (unsigned long long)(c->pause_ns / 1000000),
		    (unsigned long long)((c->pause_ns -
					     c->options.max_pause_ns) /
			1000000),
		    c->n_threads, (unsigned long long)(c->stop_ns / 1000000));
	if (c->options.fork && !l->base.process.frozen)
		target_warn(&l->base, "live.fork",
		    "--fork: there is no copy of the process: %s",
		    c->fork.why[0] != '\0' ? target_show(&l->base, c->fork.why)
					   : "it could not be kept");
	if (c->maps_before)
		target_warn(&l->base, "live.maps",
		    "the mappings are those from just before the stop: there "
		    "are too many to list them during it");
}

static bool
load(struct live *l, const struct target_options *options, bt_error_t *e)
{
	struct target *t = &l->base;

	if (!live_memory_init(l))
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	if (!read_mappings(l, e) || !read_threads(l, e))
		return false;
	read_process(l);
	read_auxv(l);
	live_opener_init(l, options);
	t->opener = &l->opener.base;
	t->finder.opener = &l->opener.base;
	if (!target_finish(t, e))
		return false;
	name_exe(l);
	warn_incomplete(l);
	live_facts(l);
	live_limits(l);
	live_descriptors(l);
	return true;
}

bool
target_live_open(const struct target_options *options,
    const struct capture *capture, struct target **out, bt_error_t *e)
{
	struct live *l = calloc(1, sizeof(*l));
	struct target_options o = *options;

	if (l == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	o.core_path = o.exe_path = NULL;
	l->capture = capture;
	vec_init(&l->file_places, files_max);
	if (!target_init(&l->base, &live_ops, &o, e) || !load(l, options, e)) {
		live_close(&l->base);
		return false;
	}
	*out = &l->base;
	return true;
}

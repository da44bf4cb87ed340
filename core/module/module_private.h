/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the handles behind the opaque types of
 * include/ptrace/.
 */
#ifndef MODULE_PRIVATE_H
#define MODULE_PRIVATE_H

#include "base/vec.h"
#include "module/module.h"

enum {
	MODULE_MODULES_MAX = 256,
	MODULE_CALLBACKS_MAX = 4096,
	MODULE_FINDINGS_MAX = 1000,
	MODULE_EVIDENCE_MAX = 32
};

enum module_event {
	MODULE_EVENT_ATTACH,
	MODULE_EVENT_THREAD,
	MODULE_EVENT_FRAME,
	MODULE_EVENT_POSTATTACH
};

struct pmodule { /* one module */
	struct module_host *host;
	const pmodule_descriptor_t *descriptor;
	const char *name; /* interned in the snapshot */
};

struct module_callback {
	enum module_event event;
	struct pmodule *module;
	union {
		void (*backtrace)(ptrace_backtrace_t *);
		void (*thread)(ptrace_thread_t *);
		void (*frame)(ptrace_frame_t *);
	} fn;
};

struct ptrace_frame {
	ptrace_thread_t *thread;
	uint32_t index;
};

struct ptrace_thread {
	struct module_host *host;
	uint32_t index;			    /* in snapshot->threads */
	const struct target_thread *target; /* NULL: not in the target */
	struct ptrace_frame *frames;	    /* made on first use */
};

struct ptrace_target {
	struct module_host *host;
};

struct ptrace_backtrace {
	struct module_host *host;
};

struct module_host {
	struct module_host_options options;
	struct snapshot *snapshot;
	struct target *target;
	struct ptrace_target target_handle;
	struct ptrace_backtrace backtrace;
	struct ptrace_thread *threads; /* NULL until the run */
	uint32_t n_threads;
	VEC(struct pmodule *) modules;
	VEC(struct module_callback) callbacks;
	struct pmodule *current; /* whose callback runs */
};

/* Name of the module that runs now, for what it says; NULL: none. */
static inline const char *
module_current_name(const struct module_host *host)
{
	return host->current != NULL ? host->current->name : NULL;
}

static inline struct snap_thread *
module_snap_thread(const ptrace_thread_t *t)
{
	return &t->host->snapshot->threads.items[t->index];
}

static inline struct snap_frame *
module_snap_frame(const ptrace_frame_t *f)
{
	return &module_snap_thread(f->thread)->frames[f->index];
}

#endif /* MODULE_PRIVATE_H */

/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the handles behind the opaque types of
 * include/ptrace/.
 */
#ifndef MODULE_PRIVATE_H
#define MODULE_PRIVATE_H

#include "base/vec.h"
#include "module/module.h"
#include "unwind/unwind.h"

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

struct ptrace_context {
	ptrace_thread_t *thread;
	struct arch_thread_regs regs;
	bool from_handler, live; /* saved for a signal handler */
	struct arch_trap trap;
	bt_addr_t handler; /* pc of the frame it interrupted us with, or 0 */
	bool has_signal;
	struct target_signal signal;
};

struct ptrace_thread {
	struct module_host *host;
	struct ptrace_context *now, *fault; /* made on first use */
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
	/* frame_api.c: the thread that was unwound last. */
	struct unwinder *unwinder; /* made on first use */
	struct budget unwind_budget;
	struct unwind_stack stack;
	const struct ptrace_thread *unwound;
	uint64_t search_left; /* bytes that searches may still read */
};

/* Bytes that all searches of a run may read together: some 0.1 s. */
#define MODULE_SEARCH_MAX (UINT64_C(256) << 20)

/* frame_api.c */
struct unwinder *module_unwinder(struct module_host *host);
void module_unwinder_end(struct module_host *host);

/* target_api.c: decodes at the pc of the registers. */
bool module_decode(struct module_host *host,
    const struct arch_thread_regs *regs, ptrace_instruction_t *out,
    bt_error_t *e);

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

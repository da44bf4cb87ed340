/* SPDX-License-Identifier: MIT */
/*
 * The host of analysis modules: a registry of descriptors, their event
 * callbacks, and the run that fires events over a collected snapshot. A
 * module that crashes or loops is contained by the process around us (the
 * supervisor kills the worker and runs again without it); the host's part is
 * to announce which module is about to run.
 */
#ifndef MODULE_MODULE_H
#define MODULE_MODULE_H

#include "snapshot/model.h"
#include "target/target.h"
#include <ptrace/heap.h>
#include <ptrace/pmodule.h>

struct module_host;
struct value_reader;
struct value_frame;
struct dwarf;

/* An option of a module: --module=ID:key,value */
struct module_option {
	const char *id, *key, *value;
};

/* One frame of a thread that is walked for its raw variables; index is that of
 * the snapshot's frame. */
typedef bool module_frame_visit(
    void *arg, uint32_t index, const struct value_frame *frame);

struct module_host_options {
	struct target *target;
	struct snapshot *snapshot;
	struct budget *budget;
	/* Announces the module whose callback runs next; NULL name: none any
	 * more. May be NULL. */
	void (*running)(void *ctx, const char *module);
	/* One diagnostic line of a module. May be NULL. */
	void (*log)(void *ctx, enum pmodule_log_level level, const char *module,
	    const char *text);
	/* That knows the rules of the pcs of this target already; NULL: the
	 * host makes one of its own. */
	struct unwinder *unwinder;
	/* Reads variables; NULL: there are none. Both may be NULL. */
	struct value_reader *(*reader)(void *ctx);
	/* Debug information of a module that was read before; NULL: it was not,
	 * or there is none. May be NULL. */
	struct dwarf *(*known_dwarf)(void *ctx, struct target_module *module);
	/* Walks a thread of the snapshot until the visitor says false. */
	void (*walk)(
	    void *ctx, uint32_t thread, module_frame_visit *visit, void *arg);
	void *ctx;
	/* For what modules make; NULL: none. */
	struct spare *spare;
	/* Options of modules. */
	const struct module_option *config;
	size_t n_config;
	/* Answer for the heap, in the order in which they are asked. */
	const ptrace_allocator_t *const *allocators;
	size_t n_allocators;
	/* All they may take together, 0: default; by a clock that stands still
	 * while other processes have the processors, so that a busy machine
	 * gives the same answers. NULL: any time counts. */
	uint64_t heap_time_ns;
	uint64_t (*clock)(void *ctx);
	/* A walk over the heap has met so many blocks, and done so many of all
	 * bytes (0: unknown); zeros: it is over. May be NULL. */
	void (*progress)(
	    void *ctx, uint64_t blocks, uint64_t done, uint64_t all);
	/* Modules that are not to run (they were at fault before). NULL or
	 * NULL-terminated. */
	const char *const *without;
	/* Modules that exist and may not have been loaded. The same. */
	const char *const *known;
	/* Time that all loaded modules may take together; 0: any. When it is
	 * used up their callbacks are skipped, and a warning says so. */
	uint64_t loaded_time_ns;
	uint64_t loaded_used_ns; /* of that, before the host */
	/* Keep which options modules ask for: inspect.h. */
	bool notes_asked;
};

struct module_host *module_host_create(
    const struct module_host_options *options);
/* Unloads all modules. NULL allowed. */
void module_host_destroy(struct module_host *host);

/* Checks the descriptor (ABI version, size, name) and calls load. A refusal
 * is BT_E_MISMATCH or BT_E_USAGE with a line that says what to do; the host is
 * unchanged then. A module that is not to run is skipped silently. */
bool module_host_add(struct module_host *host,
    const pmodule_descriptor_t *descriptor, bt_error_t *e);
/* The same for a module that was loaded from a file: its time counts. */
bool module_host_add_loaded(struct module_host *host,
    const pmodule_descriptor_t *descriptor, bt_error_t *e);
size_t module_host_count(const struct module_host *host);
bool module_host_has(const struct module_host *host, const char *name);
/* Named in `without`, or the user said --module=ID:enable,no. */
bool module_host_excludes(const struct module_host *host, const char *name);

/* Fires preattach and attach: before anything is collected. Once more for
 * modules that were added since. */
void module_host_attach(struct module_host *host);
/* Fires thread and frame events for every thread of the snapshot in order,
 * then postattach, then chooses the primary finding. */
void module_host_run(struct module_host *host);

/* From one snapshot to the next with the same modules, when several are taken:
 * all handles and everything that belongs to the last snapshot end, the host
 * turns to the new options, and then the `reset` of each module is called in
 * the order of loading. To be called while the last snapshot still exists. */
void module_host_next(
    struct module_host *host, const struct module_host_options *options);

/* The same without the `reset`: between two snapshots, or before the end, the
 * modules stand over an empty one, so that the last can be freed. */
void module_host_leave(
    struct module_host *host, const struct module_host_options *options);

/* What the heap is, and which blocks the pointers among the variables point
 * into: after the run. */
void module_host_tell_heap(struct module_host *host);

/* Threads, frames or variables of the snapshot were changed. */
bool module_host_changed(const struct module_host *host);
/* Options for modules that are not there. */
const char *module_host_unused_option(const struct module_host *host);

/* The descriptors of the shipped modules are listed by tools/common/compose.c.
 */

#endif /* MODULE_MODULE_H */

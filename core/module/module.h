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
#include <ptrace/pmodule.h>

struct module_host;

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
	void *ctx;
	/* Modules that are not to run (they were at fault before). NULL or
	 * NULL-terminated. */
	const char *const *without;
};

struct module_host *module_host_create(
    const struct module_host_options *options);
/* Unloads all modules. NULL allowed. */
void module_host_destroy(struct module_host *host);

/* Checks the descriptor (ABI version, size, name) and calls load. A refusal
 * is BT_E_MISMATCH or BT_E_USAGE with a line that says what to do; the host is
 * unchanged then. A module named in `without` is skipped silently. */
bool module_host_add(struct module_host *host,
    const pmodule_descriptor_t *descriptor, bt_error_t *e);
size_t module_host_count(const struct module_host *host);

/* Fires attach: before anything is collected. */
void module_host_attach(struct module_host *host);
/* Fires thread and frame events for every thread of the snapshot in order,
 * then postattach, then chooses the primary finding. */
void module_host_run(struct module_host *host);

/* The descriptors of the shipped modules are listed by tools/common/compose.c.
 */

#endif /* MODULE_MODULE_H */

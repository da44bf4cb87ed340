/* SPDX-License-Identifier: MIT */
/*
 * What modules have registered and asked for, for a person who wants to know
 * whether a module says what was meant.
 */
#ifndef MODULE_INSPECT_H
#define MODULE_INSPECT_H

#include "module/module.h"

struct module_registration {
	const char *module, *event;   /* "variable" */
	const pmodule_match_t *match; /* NULL: everything */
	/* In the module's source; file NULL and lines 0: unknown. */
	const char *file;
	unsigned line, function_line;
	const void *function; /* in C; NULL: not */
};

size_t module_inspect_count(const struct module_host *host);
/* The i-th callback in the order of registration. */
void module_inspect(
    const struct module_host *host, size_t i, struct module_registration *out);

struct module_criterion {
	const char *kind; /* "frame_symbol", as the function add_... says it */
	const char *text; /* of a variable_ptrace_type its name */
	bool substr;
};

size_t module_inspect_criteria(const pmodule_match_t *m);
void module_inspect_criterion(
    const pmodule_match_t *m, size_t i, struct module_criterion *out);
/* NULL: anywhere, "frame": where the fault is, "thread": in its thread. */
const char *module_inspect_fault(const pmodule_match_t *m);

/* An option that a module asked for. Needs notes_asked of the host's options.
 */
size_t module_inspect_asked_count(const struct module_host *host);
const char *module_inspect_asked(const struct module_host *host, size_t i);
bool module_inspect_has_asked(const struct module_host *host, const char *key);

#endif /* MODULE_INSPECT_H */

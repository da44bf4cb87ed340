/* SPDX-License-Identifier: MIT */
/*
 * The command line of ptrace.
 */
#ifndef PTRACE_OPTIONS_H
#define PTRACE_OPTIONS_H

#include "common/core_options.h"
#include "common/kv.h"
#include "ptrace/module_options.h"
#include "session/supervisor.h"

struct ptrace_options {
	struct core_options core; /* first: rows of the table share it */
	struct supervisor_output output;
	struct kv_list attributes;
	struct option_list classifiers, globals, resources;
	struct option_list scrub;
	bool no_scrub;
	uint32_t *threads;
	size_t n_threads;
	struct module_settings module;
	struct supervisor_watch watch;
	bool watches;	   /* --watch or --count */
	const char *print; /* -b */
	bool json;

	enum session_level level;
};

extern const struct option_row ptrace_rows[];
extern const char ptrace_usage[];

/* Reads --config, then the command line, which has the last word. */
bool ptrace_options_parse(
    struct ptrace_options *o, int argc, char **argv, bt_error_t *e);

#endif /* PTRACE_OPTIONS_H */

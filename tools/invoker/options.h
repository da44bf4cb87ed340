/* SPDX-License-Identifier: MIT */
/*
 * The options of invoker.
 */
#ifndef INVOKER_OPTIONS_H
#define INVOKER_OPTIONS_H

#include "common/options.h"

#include <sys/types.h>

/* As many tracers as the original takes. */
enum { INVOKER_TRACERS_MAX = 16 };

struct invoker_options {
	pid_t target; /* 0: the parent */
	const char *pid_file;
	struct option_list tracers; /* command lines, at most 16 */
	bool wait;
	bool no_record; /* nothing comes on standard input */
	bool debug;	/* log to standard error */
	bool help, version;
};

extern const char invoker_usage[];
extern const struct option_row invoker_rows[];

/* BT_E_USAGE with a line that says what is wrong. */
bool invoker_options_parse(
    struct invoker_options *o, int argc, char **argv, bt_error_t *e);

#endif /* INVOKER_OPTIONS_H */

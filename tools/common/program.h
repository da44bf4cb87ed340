/* SPDX-License-Identifier: MIT */
/*
 * What every program does at its start and end.
 */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include "common/console.h"
#include "common/core_options.h"

/* Makes the three standard descriptors safe to have; failing writes are errors,
 * not signals. */
void program_start(void);
/* Writes to standard output at once; false with *e set when that fails. */
bool program_print(const void *text, size_t size, bt_error_t *e);
/* Usage and all options of the table, or the version, when asked for. True
 * when there is nothing more to do; *status is then the exit status. */
bool program_answers(struct console *c, const struct core_options *o,
    const char *usage, const struct option_row *rows, int *status);
/* Exit status for a wrong command line, after a line that tells it. */
int program_usage(struct console *c, const bt_error_t *e);
/* True when the word is a process id and not an existing file: a wish for a
 * live process. */
bool program_is_pid(const char *word);

#endif /* COMMON_PROGRAM_H */

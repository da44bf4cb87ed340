/* SPDX-License-Identifier: MIT */
/*
 * Lines for people on standard error: the program's name, what is wrong, all
 * foreign text escaped; and a sign of life on a terminal when it takes long.
 */
#ifndef COMMON_CONSOLE_H
#define COMMON_CONSOLE_H

#include "session/supervisor.h"

struct console {
	const char *program;
	enum session_level level; /* the least that is shown */
	bool terminal;
	bool progress_shown;
	struct supervisor_console listener;
};

void console_init(struct console *c, const char *program);
/* Takes away the sign of life. */
void console_settle(struct console *c);
void console_say(struct console *c, enum session_level level, const char *text);
/* Exit status for a failure, after a line that tells it. */
int console_fail(struct console *c, const bt_error_t *e);

/* --color: auto (a terminal, and NO_COLOR is not set), always, never. */
bool console_color_parse(const char *value, bool *always, bool *never);
bool console_wants_color(int fd, bool always, bool never);

enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_NOTHING = 2 };

#endif /* COMMON_CONSOLE_H */

/* SPDX-License-Identifier: MIT */
/*
 * What goes to standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "common/console.h"

/* Nothing is shown to those who do not wait. */
static const uint64_t patience_ns = 1000000000;

static void
on_log(void *ctx, enum session_level level, const char *text)
{

	console_say(ctx, level, text);
}

static void
on_progress(void *ctx, const struct supervisor_progress *p)
{
	struct console *c = ctx;
	unsigned long long seconds = p->elapsed_ns / 1000000000;

	if (p->elapsed_ns < patience_ns)
		return;
	(void)fprintf(
	    stderr, "\r%s: %s, ", c->program, session_stage_name(p->stage));
	if (p->blocks != 0)
		(void)fprintf(stderr, "%llu heap blocks, ",
		    (unsigned long long)p->blocks);
	if (p->blocks != 0 && p->percent <= 100)
		(void)fprintf(stderr, "%u %%, ", p->percent);
	(void)fprintf(stderr, "%llu s \033[K", seconds);
	c->progress_shown = true;
}

static void
on_stats(void *ctx, const char *text, size_t size)
{
	console_settle(ctx);
	(void)fwrite(text, 1, size, stderr);
}

void
console_init(struct console *c, const char *program)
{
	const char *term = getenv("TERM");

	*c = (struct console){.program = program, .level = SESSION_WARNING};
	c->terminal = isatty(STDERR_FILENO) && term != NULL &&
	    strcmp(term, "dumb") != 0;
	c->listener = (struct supervisor_console){
	    .ctx = c,
	    .log = on_log,
	    .progress = c->terminal ? on_progress : NULL,
	    .stats = on_stats,
	};
}

void
console_settle(struct console *c)
{
	if (c->progress_shown)
		(void)fputs("\r\033[K", stderr);
	c->progress_shown = false;
}

void
console_say(struct console *c, enum session_level level, const char *text)
{
	char line[1100];

	if (level < c->level)
		return;
	console_settle(c);
	(void)fprintf(stderr, "%s: %s%s\n", c->program,
	    level == SESSION_WARNING ? "warning: " : "",
	    text_escape_into(line, sizeof(line), text));
}

int
console_fail(struct console *c, const bt_error_t *e)
{
	console_settle(c);
	/* The text of an error is escaped already. */
	(void)fprintf(stderr, "%s: %s\n", c->program, e->text);
	return EXIT_NOTHING;
}

bool
console_color_parse(const char *value, bool *always, bool *never)
{
	*always = strcmp(value, "always") == 0;
	*never = strcmp(value, "never") == 0;
	return *always || *never || strcmp(value, "auto") == 0;
}

bool
console_wants_color(int fd, bool always, bool never)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (always || never)
		return always;
	/* https://no-color.org: set and not empty. */
	if (no_color != NULL && *no_color != '\0')
		return false;
	return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * ptrace: a core in, a snapshot out, its path on standard output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/compose.h"
#include "common/program.h"
#include "ptrace/options.h"
#include "session/check.h"

/* The path alone, for the script that reads it. A caller that named the file
 * knows it already; one that did not has lost its result with its output. */
static int
tell_path(struct console *c, const struct ptrace_options *o, char *path)
{
	struct buf line;
	bt_error_t e;
	int status = EXIT_DONE;

	buf_init(&line, 65536);
	buf_printf(&line, "%s\n", path);
	if (program_print(line.data, line.size, &e) == false) {
		(void)bt_wrap(&e, "the snapshot is in %s", path);
		status = console_fail(c, &e);
		if (o->output.path != NULL)
			status = EXIT_DONE;
	}
	buf_deinit(&line);
	free(path);
	return status;
}

static int
take_snapshot(struct console *c, struct ptrace_options *o)
{
	bool partial = false;
	char *path = NULL;
	bt_error_t e;
	int status;

	if (supervisor_snapshot(&o->core.session, &o->output, &c->listener,
		&path, &partial, &e) == false)
		return console_fail(c, &e);
	console_settle(c);
	if (partial)
		console_say(c, SESSION_WARNING,
		    "the snapshot is partial; its warnings say what is "
		    "missing");
	status = tell_path(c, o, path);
	core_options_fill_cache(&o->core, c);
	return status;
}

struct taken {
	struct console *console;
	const struct ptrace_options *options;
	int status;
};

/* The next is waited for only as long as somebody can be told of it. */
static bool
on_taken(void *ctx, char *path, bool partial)
{
	struct taken *t = ctx;

	console_settle(t->console);
	if (partial)
		console_say(t->console, SESSION_WARNING,
		    "the snapshot is partial; its warnings say what is "
		    "missing");
	t->status = tell_path(t->console, t->options, path);
	return t->status == EXIT_DONE;
}

static int
take_several(struct console *c, struct ptrace_options *o)
{
	struct taken t = {c, o, EXIT_DONE};
	bt_error_t e;

	o->watch.ctx = &t;
	o->watch.taken = on_taken;
	if (supervisor_watch(&o->core.session, &o->output, &c->listener,
		&o->watch, &e) == false)
		return console_fail(c, &e);
	console_settle(c);
	core_options_fill_cache(&o->core, c);
	return t.status;
}

static int
print_snapshot(struct console *c, const struct ptrace_options *o)
{
	struct supervisor_report report = {
	    .snapshot_path = o->print,
	    .json = o->json,
	    .text =
		{
		    .variables = true,
		    .details = true,
		    .group_line = true,
		    .color = console_wants_color(STDOUT_FILENO, false, false),
		},
	    .fd = STDOUT_FILENO,
	};
	bool partial = false;
	bt_error_t e;

	if (supervisor_report(
		&o->core.session, &report, &c->listener, &partial, &e) == false)
		return console_fail(c, &e);
	return EXIT_DONE;
}

static int
check_module(struct console *c, const struct ptrace_options *o)
{
	struct supervisor_check check = {
	    .path = o->module.check, .json = o->json, .fd = STDOUT_FILENO};
	bool sound = false;
	bt_error_t e;

	if (supervisor_check(
		&o->core.session, &check, &c->listener, &sound, &e) == false)
		return console_fail(c, &e);
	return sound ? EXIT_DONE : EXIT_NOTHING;
}

int
main(int argc, char **argv)
{
	static struct ptrace_options o; /* its lists live to the end */
	struct console c;
	bt_error_t e;
	int status;

	program_start();
	console_init(&c, "ptrace");
	if (ptrace_options_parse(&o, argc, argv, &e) == false)
		return program_usage(&c, &e);
	c.level = o.level;
	if (program_answers(&c, &o.core, ptrace_usage, ptrace_rows, &status))
		return status;
	if (o.print != NULL)
		return print_snapshot(&c, &o);
	core_options_language(&o.core);
	if (o.module.check != NULL)
		return check_module(&c, &o);
	compose_modules(&o.core.session);
	core_options_open_cache(&o.core, &c);
	return o.watches ? take_several(&c, &o) : take_snapshot(&c, &o);
}

/* SPDX-License-Identifier: MIT */
/*
 * bt: the stacks of a live process, a core or a snapshot, for reading.
 */
#include <unistd.h>

#include "common/compose.h"
#include "common/program.h"

struct bt_options {
	struct core_options core; /* first: rows of the table share it */
	bool no_variables, json, details;
	bool color_always, color_never;
};

static const char bt_usage[] =
    "Usage: bt [OPTION]... PID\n"
    "       bt [OPTION]... --core CORE [EXE]\n"
    "       bt [OPTION]... FILE.btt\n"
    "\n"
    "Prints the stack of every thread of a live process, a core or a\n"
    "snapshot, the faulting thread first, below a verdict of a few lines.\n"
    "\n";

static bool
on_no_variables(void *ctx, const char *value, bt_error_t *e)
{
	struct bt_options *o = ctx;

	(void)value;
	(void)e;
	o->no_variables = true;
	return true;
}

static bool
on_json(void *ctx, const char *value, bt_error_t *e)
{
	struct bt_options *o = ctx;

	(void)value;
	(void)e;
	o->json = true;
	return true;
}

static bool
on_details(void *ctx, const char *value, bt_error_t *e)
{
	struct bt_options *o = ctx;

	(void)value;
	(void)e;
	o->details = true;
	return true;
}

static bool
on_color(void *ctx, const char *value, bt_error_t *e)
{
	struct bt_options *o = ctx;

	return console_color_parse(value, &o->color_always, &o->color_never) ||
	    bt_fail(e, BT_E_USAGE,
		"--color: '%s' is none of auto, always, never", value);
}

static const struct option_row bt_rows[] = {
    {0, "core", "CORE", "core file to examine", core_option_core},
    {0, "no-variables", NULL, "stacks only, as fast as possible",
	on_no_variables},
    {0, "no-pretty-print", NULL, "without the Lua modules that come with it",
	core_option_no_pretty},
    {0, "pretty-print", NULL, NULL, core_option_pretty},
    {0, "json", NULL, "print the JSON document", on_json},
    {0, "details", NULL,
	"print registers, modules, mappings, attributes\n"
	"and environment, and of a live process its\n"
	"limits and open files as well",
	on_details},
    {0, "color", "WHEN", "auto, always or never", on_color},
    {0, "load", "TEXT",
	"load debug information only of modules whose\n"
	"path contains TEXT (repeatable; empty: all)",
	core_option_load},
    {0, "sysroot", "DIR", "find modules and debug files below DIR",
	core_option_sysroot},
    {0, "debug-path", "DIR", "look for debug files in DIR first (repeatable)",
	core_option_debug_path},
    {0, "cache", "DIR",
	"keep inflated copies of debug files in DIR, and\n"
	"use those that are there",
	core_option_cache},
    {0, "cache-size", "SIZE", "most bytes of all copies together (4G)",
	core_option_cache_size},
    {0, "force", NULL, "use an executable that does not match the core",
	core_option_force},
    {0, "max-pause", "MS",
	"longest time for copying memory of a stopped\n"
	"process (250)",
	core_option_max_pause},
    {0, "fork", NULL,
	"make a frozen copy of the process, so that heaps\n"
	"and all of its memory can be looked at",
	core_option_fork},
    {0, "timeout", "SECONDS", "time for everything (25)", core_option_timeout},
    {0, "no-sandbox", NULL,
	"without the walls around the process that reads\n"
	"the core and runs modules (for debugging)",
	core_option_no_sandbox},
    {0, "stats", NULL,
	"print time per stage and where debug information\n"
	"was looked for",
	core_option_stats},
    {'h', "help", NULL, "show this text", core_option_help},
    {0, "version", NULL, "show the version", core_option_version},
    {0, NULL, NULL, NULL, NULL},
};

/* What is to be printed: the snapshot file, or NULL for the core or process.
 */
static bool
choose(struct bt_options *o, const char **snapshot, bt_error_t *e)
{
	struct core_options *c = &o->core;

	*snapshot = NULL;
	if (c->session.core_path != NULL) {
		c->session.exe_path = c->n_operands != 0 ? c->operands[0]
							 : NULL;
		return true;
	}
	if (c->n_operands == 0)
		return bt_fail(e, BT_E_USAGE,
		    "nothing given; use bt PID, bt --core CORE [EXE], bt "
		    "FILE.btt, or --help");
	if (program_is_pid(c->operands[0]))
		return core_option_pid(c, e);
	*snapshot = c->operands[0];
	return true;
}

static int
report(struct console *c, struct bt_options *o, const char *snapshot)
{
	struct supervisor_report r = {
	    .snapshot_path = snapshot,
	    .json = o->json,
	    .text =
		{
		    .variables = o->no_variables == false,
		    .details = o->details,
		    .color = console_wants_color(
			STDOUT_FILENO, o->color_always, o->color_never),
		},
	    .fd = STDOUT_FILENO,
	};
	struct session_options *s = &o->core.session;
	bool partial = false;
	bt_error_t e;

	core_options_finish(&o->core);
	s->variables = o->no_variables == false;
	s->modules = o->json || o->details;
	/* Modules decode instructions and read memory: stacks alone need
	 * none of that, and what they found is in a snapshot already. */
	if (o->no_variables == false && snapshot == NULL) {
		compose_modules(s);
		core_options_language(&o->core);
	}
	core_options_open_cache(&o->core, c);
	if (supervisor_report(s, &r, &c->listener, &partial, &e) == false)
		return console_fail(c, &e);
	console_settle(c);
	if (partial)
		console_say(c, SESSION_WARNING,
		    "the report is partial: not everything could be read");
	core_options_fill_cache(&o->core, c);
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	static struct bt_options o; /* its lists live to the end */
	struct options_table table = {bt_rows, core_option_operand, &o};
	const char *snapshot;
	struct console c;
	bt_error_t e;
	int status;

	program_start();
	console_init(&c, "bt");
	if (options_parse(&table, argc, argv, &e) == false)
		return program_usage(&c, &e);
	if (program_answers(&c, &o.core, bt_usage, bt_rows, &status))
		return status;
	if (choose(&o, &snapshot, &e) == false)
		return program_usage(&c, &e);
	return report(&c, &o, snapshot);
}

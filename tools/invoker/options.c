/* SPDX-License-Identifier: MIT */
/*
 * The options of invoker: those of the helper it stands in for, and those that
 * Traffic Server gives to every helper.
 */
#include "invoker/options.h"
#include "base/text.h"

const char invoker_usage[] =
    "Usage: invoker [OPTION]...\n"
    "\n"
    "Runs tracers on the process that started it, once that process says by\n"
    "SIGCONT that it has crashed. Made to be the crash_log_helper of Apache\n"
    "Traffic Server.\n"
    "\n";

static bool
on_target(void *ctx, const char *value, bt_error_t *e)
{
	struct invoker_options *o = ctx;
	uint64_t pid;

	if (text_u64(value, &pid) == false || pid == 0 || pid > INT32_MAX)
		return bt_fail(
		    e, BT_E_USAGE, "--target: '%s' is not a process id", value);
	o->target = (pid_t)pid;
	return true;
}

static bool
on_pid_file(void *ctx, const char *value, bt_error_t *e)
{
	struct invoker_options *o = ctx;

	if (*value == '\0')
		return bt_fail(e, BT_E_USAGE, "--pid-file needs a file name");
	o->pid_file = value;
	return true;
}

static bool
on_tracer(void *ctx, const char *value, bt_error_t *e)
{
	struct invoker_options *o = ctx;

	if (o->tracers.count == INVOKER_TRACERS_MAX)
		return bt_fail(
		    e, BT_E_USAGE, "more than %d tracers", INVOKER_TRACERS_MAX);
	return option_list_add(&o->tracers, value, e);
}

static bool
on_wait(void *ctx, const char *value, bt_error_t *e)
{
	struct invoker_options *o = ctx;

	(void)value;
	(void)e;
	o->wait = true;
	return true;
}

static bool
on_no_record(void *ctx, const char *value, bt_error_t *e)
{
	struct invoker_options *o = ctx;

	(void)value;
	(void)e;
	o->no_record = true;
	return true;
}

static bool
on_debug(void *ctx, const char *value, bt_error_t *e)
{
	struct invoker_options *o = ctx;

	(void)value;
	(void)e;
	o->debug = true;
	return true;
}

static bool
on_version(void *ctx, const char *value, bt_error_t *e)
{
	struct invoker_options *o = ctx;

	(void)value;
	(void)e;
	o->version = true;
	return true;
}

static bool
on_help(void *ctx, const char *value, bt_error_t *e)
{
	struct invoker_options *o = ctx;

	(void)value;
	(void)e;
	o->help = true;
	return true;
}

/* What the snapshot knows better than the caller. */
static bool
on_ignored(void *ctx, const char *value, bt_error_t *e)
{
	(void)ctx;
	(void)value;
	(void)e;
	return true;
}

const struct option_row invoker_rows[] = {
    {'p', "target", "PID", "the process to trace (the parent)", on_target},
    {'P', "pid-file", "PATH",
	"write the own process id there; an invoker that\n"
	"the file names is killed",
	on_pid_file},
    {'t', "tracer", "\"PATH ARGS\"",
	"run this program on the target, %p being its\n"
	"process id (repeatable, at most 16)",
	on_tracer},
    {'w', "wait", NULL, "stop, and go on when SIGCONT comes", on_wait},
    {'n', "no-ats-compatibility", NULL,
	"Traffic Server's record is not on standard input", on_no_record},
    {'d', "debug", NULL, "log to standard error instead of syslog", on_debug},
    {0, "host", "TRIPLET", "ignored: the snapshot has it", on_ignored},
    {0, "user", "USER", "ignored, likewise", on_ignored},
    {'s', "syslog", NULL, "ignored: it is the default", on_ignored},
    {'v', "version", NULL, "show the version", on_version},
    {'h', "help", NULL, "show this text", on_help},
    {0, NULL, NULL, NULL, NULL},
};

static bool
on_operand(void *ctx, const char *value, bt_error_t *e)
{
	(void)ctx;
	return bt_fail(e, BT_E_USAGE, "unexpected operand '%s'", value);
}

bool
invoker_options_parse(
    struct invoker_options *o, int argc, char **argv, bt_error_t *e)
{
	struct options_table table = {invoker_rows, on_operand, o};

	return options_parse(&table, argc, argv, e);
}

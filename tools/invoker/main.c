/* SPDX-License-Identifier: MIT */
/*
 * invoker: waits, stopped, for the crash of the process that started it, and
 * then runs tracers on it while it waits in its signal handler.
 *
 * The steps and their order are those of the helper that it stands in for:
 * scripts and servers rely on the exit status and on when it is stopped.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "invoker/options.h"
#include "invoker/pid_file.h"
#include "invoker/record.h"
#include "invoker/sleep.h"
#include "invoker/tracer.h"

enum { INVOKER_DONE = 0, INVOKER_FAILED = 1 };

static int
fail(const struct service_log *l, const bt_error_t *e)
{
	log_error(l, e);
	return INVOKER_FAILED;
}

/* Says what is wrong, if anything, and the usage. */
static int
show_usage(FILE *out, const bt_error_t *wrong)
{
	struct buf text;
	int status = wrong != NULL ? INVOKER_FAILED : INVOKER_DONE;

	buf_init(&text, 65536);
	if (wrong != NULL)
		buf_printf(&text, "invoker: %s\n", wrong->text);
	buf_puts(&text, invoker_usage);
	options_help(invoker_rows, &text);
	if (fwrite(text.data, 1, text.size, out) != text.size ||
	    fflush(out) != 0)
		status = INVOKER_FAILED;
	buf_deinit(&text);
	return status;
}

/* "PREFIX/bin/ptrace %p": the one beside this program. */
static bool
default_tracer(char *out, size_t size, bt_error_t *e)
{
	char path[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return bt_fail_os(e, errno, "cannot find the own program");
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) + 12 > size)
		return bt_fail(e, BT_E_LIMIT, "the own path is too long");
	*slash = '\0';
	(void)snprintf(out, size, "%s/ptrace %%p", path);
	return true;
}

static int
run_lines(
    const struct option_list *lines, pid_t target, const struct service_log *l)
{
	struct tracer tracers[INVOKER_TRACERS_MAX + 1] = {0};
	int status = INVOKER_DONE;
	bt_error_t e;

	/* All are looked at before one runs: a wrong path is no reason to have
	 * half of them. */
	for (size_t i = 0; i < lines->count && status == INVOKER_DONE; i++)
		if (tracer_parse(&tracers[i], lines->items[i], target, &e) ==
		    false)
			status = fail(l, &e);
	for (size_t i = 0; i < lines->count && status == INVOKER_DONE; i++)
		status = tracer_run(&tracers[i], l);
	for (size_t i = 0; i < lines->count; i++)
		tracer_deinit(&tracers[i]);
	return status;
}

static int
trace(struct invoker_options *o, pid_t target, const struct service_log *l)
{
	const char *more = getenv("INVOKER_TRACER");
	char line[PATH_MAX + 16];
	bt_error_t e;

	if (more != NULL && *more != '\0' &&
	    o->tracers.count < INVOKER_TRACERS_MAX &&
	    option_list_add(&o->tracers, more, &e) == false)
		return fail(l, &e);
	if (o->tracers.count == 0 &&
	    (default_tracer(line, sizeof(line), &e) == false ||
		option_list_add(&o->tracers, line, &e) == false))
		return fail(l, &e);
	return run_lines(&o->tracers, target, l);
}

/* The record on standard input, and the privilege to trace: the server's
 * manager may have given up the effective one only. */
static bool
receive_record(const struct service_log *l, bt_error_t *e)
{
	struct invoker_record record;

	if (record_read(&record, STDIN_FILENO, e) == false)
		return false;
	if (record.tid != 0)
		log_say(l, LOG_INFO, "signal %d in thread %d", record.signo,
		    record.tid);
	else
		log_say(l, LOG_INFO, "signal %d", record.signo);
	if (getuid() == 0 && seteuid(0) != 0)
		return bt_fail_os(e, errno, "cannot become root again");
	return true;
}

static int
invoke(struct invoker_options *o, pid_t parent, const struct service_log *l)
{
	bt_error_t e;

	if (o->pid_file != NULL && pid_file_take(o->pid_file, l, &e) == false)
		return fail(l, &e);
	if (o->wait && sleep_until_woken(parent, &e) == false)
		return fail(l, &e);
	/* It has ended in peace. */
	if (getppid() != parent)
		return INVOKER_DONE;
	if (o->no_record == false && receive_record(l, &e) == false)
		return fail(l, &e);
	return trace(o, o->target != 0 ? o->target : parent, l);
}

int
main(int argc, char **argv)
{
	static struct invoker_options o; /* its lists live to the end */
	struct service_log l;
	pid_t parent = getppid();
	bt_error_t e;
	bool prepared = sleep_prepare(&e);

	log_open(&l, "invoker", false);
	if (prepared == false)
		return fail(&l, &e);
	if (invoker_options_parse(&o, argc, argv, &e) == false)
		return show_usage(stderr, &e);
	if (o.help)
		return show_usage(stdout, NULL);
	if (o.version)
		return printf("invoker (Inquest) %s\n", INQUEST_VERSION) < 0 ||
			fflush(stdout) != 0
		    ? INVOKER_FAILED
		    : INVOKER_DONE;
	l.to_stderr = o.debug;
	if (parent == 1) {
		(void)bt_fail(&e, BT_E_USAGE,
		    "started by process 1; there is nobody to trace");
		return fail(&l, &e);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return invoke(&o, parent, &l);
}

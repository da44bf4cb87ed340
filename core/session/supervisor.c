/* SPDX-License-Identifier: MIT */
/*
 * Policy: how long a worker gets, what to leave out after one died, and what
 * is published in the end.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "session/capture_run.h"
#include "session/jobs.h"
#include "session/more.h"
#include "session/output.h"
#include "session/run.h"

enum {
	ATTEMPTS_MAX = 4,
	WITHOUT_MAX = ATTEMPTS_MAX,
	/* Shares of the time that is left, in percent. The worker winds down by
	 * itself at the first and is killed at the second, so that a further
	 * attempt still has time. */
	SOFT_PERCENT = 60,
	HARD_PERCENT = 75,
	NOTES_MAX = ATTEMPTS_MAX + 1 + REFUSALS_MAX
};

struct supervisor {
	const struct supervisor_console *console;
	struct run run;
	struct session_options options; /* of the next attempt */
	struct job job;
	struct broker_options broker;
	uint64_t deadline;
	struct capture *capture;  /* NULL: a core */
	struct worker holder;	  /* of its frozen copy */
	bool watches;		  /* a worker stays, with what is below */
	uint64_t process_started; /* of that process; 0: not yet known */
	int more_fd;		  /* asks it for the next; -1: none stays */
	uint32_t skip;		  /* as the options had it */
	uint64_t timeout_ns, modules_time_ns;
	const char *without[WITHOUT_MAX + 1];
	char faulty[WITHOUT_MAX][64];
	size_t n_without;
	/* What went wrong, for the snapshot. */
	struct snap_warning notes[NOTES_MAX];
	char note_text[NOTES_MAX][192], note_stage[NOTES_MAX][80];
	size_t n_notes;
};

/* The host in the worker counts the time of all loaded modules, between their
 * callbacks; what is stopped from here is one that does not come back. Where
 * there are only ours, they have the deadline. */
static void
limit_modules(struct supervisor *v)
{
	const uint64_t second = 1000000000;
	struct session_options *o = &v->options;
	uint64_t one = SESSION_DEFAULT_MODULE_TIME_S * second;

	if (o->modules_time_ns == 0)
		o->modules_time_ns = SESSION_DEFAULT_MODULES_TIME_S * second;
	if (o->module_time_ns != 0)
		one = o->module_time_ns;
	/* None may take more than all of them. */
	if (o->modules_time_ns < one)
		o->module_time_ns = one = o->modules_time_ns;
	if (o->module_files != NULL || o->module_dirs != NULL)
		v->run.module_time_ns = one;
}

/* What a module took before it was stopped is gone for the others, too. */
static void
charge_module(struct supervisor *v)
{
	const uint64_t least = 100 * 1000 * 1000;
	uint64_t used = v->run.module_used_ns;

	if (v->run.module[0] == '\0' || used == 0)
		return;
	v->options.modules_time_ns = v->options.modules_time_ns > used + least
	    ? v->options.modules_time_ns - used
	    : least;
}

static bool
supervisor_init(struct supervisor *v, const struct session_options *options,
    const struct supervisor_report *report,
    const struct supervisor_console *console, bt_error_t *e)
{
	uint64_t timeout = options->timeout_ns != 0
	    ? options->timeout_ns
	    : (uint64_t)SESSION_DEFAULT_TIMEOUT_S * 1000000000;

	memset(v, 0, sizeof(*v));
	v->holder.fd = -1;
	v->console = console;
	v->options = *options;
	if (run_init(&v->run,
		options->max_size != 0 ? options->max_size
				       : SESSION_DEFAULT_MAX_SIZE) == false)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	v->job = (struct job){.options = &v->options,
	    .report = report,
	    .note = v->run.note,
	    .refusals = v->run.refusals,
	    .more_fd = -1,
	    .more_other_fd = -1};
	v->more_fd = -1;
	if (options->sandbox.off == false) {
		v->broker = (struct broker_options){.session = &v->options,
		    .snapshot_path = report != NULL ? report->snapshot_path
						    : NULL,
		    .note = v->run.note,
		    .refusals = v->run.refusals};
		v->run.broker_options = &v->broker;
		v->job.broker = &v->run.broker;
	}
	limit_modules(v);
	v->skip = options->skip;
	v->modules_time_ns = v->options.modules_time_ns;
	v->timeout_ns = timeout;
	v->deadline = bt_now_ns() + timeout;
	for (size_t i = 0; options->without != NULL &&
	     options->without[i] != NULL && v->n_without < WITHOUT_MAX;
	     i++)
		v->without[v->n_without++] = options->without[i];
	v->options.without = v->without;
	return true;
}

static void
say(const struct supervisor *v, enum session_level level, const char *text)
{

	if (v->console->log != NULL)
		v->console->log(v->console->ctx, level, text);
}

/* Records why an attempt ended, on the console and for the snapshot. */
static void
note(struct supervisor *v)
{
	const struct run *r = &v->run;
	const char *stage = session_stage_name(r->stage);
	size_t i = v->n_notes;
	char end[96];

	if (i == NOTES_MAX)
		return;
	run_describe_end(r, end, sizeof(end));
	if (r->module[0] != '\0') {
		(void)snprintf(v->note_stage[i], sizeof(v->note_stage[i]),
		    "module:%s", r->module);
		(void)snprintf(v->note_text[i], sizeof(v->note_text[i]),
		    "module '%s': the worker %s", r->module, end);
	} else {
		(void)snprintf(
		    v->note_stage[i], sizeof(v->note_stage[i]), "%s", stage);
		(void)snprintf(v->note_text[i], sizeof(v->note_text[i]),
		    "stage '%s': the worker %s", stage, end);
	}
	v->notes[i] = (struct snap_warning){v->note_stage[i],
	    r->timed_out ? "worker.timeout" : "worker.died", v->note_text[i]};
	v->n_notes++;
	say(v, SESSION_WARNING, v->note_text[i]);
}

/* What the sandbox refused to all workers: the work went on without it, and
 * nobody else would know. */
static void
note_refusals(struct supervisor *v)
{
	struct refusals *r = v->run.refusals;

	for (uint32_t k = 0; k < r->count && v->n_notes < NOTES_MAX; k++) {
		const struct refusal *one = &r->items[k];
		const char *stage = session_stage_name(one->stage);
		size_t i = v->n_notes++;
		char what[96];

		refusals_describe(one, what, sizeof(what));
		if (one->module[0] != '\0') {
			(void)snprintf(v->note_stage[i],
			    sizeof(v->note_stage[i]), "module:%s", one->module);
			(void)snprintf(v->note_text[i], sizeof(v->note_text[i]),
			    "module '%s': %s", one->module, what);
		} else {
			(void)snprintf(v->note_stage[i],
			    sizeof(v->note_stage[i]), "%s", stage);
			(void)snprintf(v->note_text[i], sizeof(v->note_text[i]),
			    "stage '%s': %s", stage, what);
		}
		v->notes[i] = (struct snap_warning){
		    v->note_stage[i], "sandbox.refused", v->note_text[i]};
		say(v, SESSION_WARNING, v->note_text[i]);
	}
	r->count = 0; /* told */
}

/* One attempt is left and every one so far was lost to another module: what was
 * loaded from files is not worth the snapshot. */
static void
leave_out_loaded(struct supervisor *v)
{
	size_t i = v->n_notes;

	if (v->options.module_files == NULL && v->options.module_dirs == NULL)
		return;
	v->options.module_files = v->options.module_dirs = NULL;
	if (i == NOTES_MAX)
		return;
	(void)snprintf(v->note_stage[i], sizeof(v->note_stage[i]), "analysis");
	(void)snprintf(v->note_text[i], sizeof(v->note_text[i]),
	    "all loaded modules were left out: too many of them failed");
	v->notes[i] = (struct snap_warning){
	    v->note_stage[i], "module.left-out", v->note_text[i]};
	v->n_notes++;
	say(v, SESSION_WARNING, v->note_text[i]);
}

/* Leaves out a module. False when it was left out already. */
static bool
leave_out_module(struct supervisor *v, const char *module)
{
	size_t n = v->n_without;

	for (size_t i = 0; i < n; i++)
		if (strcmp(v->without[i], module) == 0)
			return false;
	if (n == WITHOUT_MAX)
		return false;
	(void)snprintf(v->faulty[n], sizeof(v->faulty[n]), "%s", module);
	v->without[v->n_without++] = v->faulty[n];
	if (v->n_without == WITHOUT_MAX - 1)
		leave_out_loaded(v);
	return true;
}

/*
 * What the next attempt does without. False when there is nothing left to
 * leave out: stacks without debug information are the least we do.
 */
static bool
lower_the_bar(struct supervisor *v)
{
	enum session_stage stage = v->run.stage;
	uint32_t bit = UINT32_C(1) << stage;

	if (v->run.module[0] != '\0')
		return leave_out_module(v, v->run.module);
	switch (stage) {
	case SESSION_FAULT:
	case SESSION_THREADS:
		/* Most code that these stages run is debug information. */
		bit = UINT32_C(1) << SESSION_FAULT |
		    UINT32_C(1) << SESSION_VARIABLES;
		break;
	case SESSION_OPEN:
	case SESSION_REPORT:
		return false;
	default:
		break;
	}
	if ((v->options.skip & bit) == bit)
		return false;
	v->options.skip |= bit;
	return true;
}

/* A live process is captured once, whatever becomes of the workers. */
static bool
capture(struct supervisor *v, bt_error_t *e)
{
	const struct session_options *o = &v->options;
	struct capture_options options = {
	    .pid = o->pid,
	    .max_pause_ns = o->max_pause_ns,
	    .threads = o->threads,
	    .n_threads = o->n_threads,
	    .fault_thread = o->fault_thread,
	    .fork = o->fork,
	};

	if (o->pid == 0 || v->capture != NULL)
		return true;
	if (capture_run(&options, v->deadline, &v->holder, &v->capture, e) ==
	    false)
		return false;
	v->options.capture = v->capture;
	return true;
}

static void
drop_capture(struct supervisor *v)
{

	capture_release(&v->holder);
	capture_close(v->capture);
	v->capture = NULL;
	v->options.capture = NULL;
}

/* The frozen copy that the next snapshot is of; -1: none. */
static int
fork_memory(const struct supervisor *v)
{

	return v->capture != NULL && v->capture->fork.pid != 0
	    ? v->capture->fork.mem_fd
	    : -1;
}

/* A worker that will be asked for more has a socket to hear of it. */
static bool
begin_worker(struct supervisor *v, worker_body *body, uint64_t deadline_ns,
    bt_error_t *e)
{
	int fds[2] = {-1, -1};
	bool started;

	if (v->more_fd >= 0)
		(void)close(v->more_fd);
	v->more_fd = -1;
	if (v->watches &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return bt_fail_os(e, errno, "cannot make a socket");
	v->job.more_fd = fds[0];
	v->job.more_other_fd = v->more_fd = fds[1];
	started = run_worker(
	    &v->run, body, &v->job, deadline_ns, v->console, e);
	if (fds[0] >= 0)
		(void)close(fds[0]);
	return started;
}

/* The worker that stayed takes the next, or a new one does. */
static bool
next_worker(struct supervisor *v, worker_body *body, uint64_t deadline_ns,
    bt_error_t *e)
{
	if (run_has_worker(&v->run) == false)
		return begin_worker(v, body, deadline_ns, e);
	if (more_send(v->more_fd, fork_memory(v))) {
		run_worker_more(&v->run, deadline_ns, v->console);
		return true;
	}
	/* It has died while it had nothing to do. */
	worker_stop(&v->run.worker);
	(void)worker_reap(&v->run.worker);
	return begin_worker(v, body, deadline_ns, e);
}

/* Runs workers until one is done or nothing more can be left out. False: no
 * worker could be started, or it said that nothing can be had. */
static bool
attempt_all(struct supervisor *v, worker_body *body, bt_error_t *e)
{
	struct run *r = &v->run;

	for (int i = 0; i < ATTEMPTS_MAX; i++) {
		uint64_t now = bt_now_ns();
		uint64_t left = v->deadline > now ? v->deadline - now : 0;

		if (left == 0)
			break;
		if (i > 0)
			run_again(r);
		v->options.timeout_ns = left / 100 * SOFT_PERCENT;
		if (next_worker(v, body, now + left / 100 * HARD_PERCENT, e) ==
		    false)
			return false;
		if (r->has_error) {
			*e = r->error;
			return false;
		}
		if (r->done)
			return true;
		note(v);
		charge_module(v);
		if (lower_the_bar(v) == false)
			break;
	}
	return true;
}

/* The worker left nothing to publish. */
static bool
fail_empty(const struct supervisor *v, bt_error_t *e)
{

	return bt_fail(e, v->run.timed_out ? BT_E_TIMEOUT : BT_E_INTERNAL,
	    "%s: nothing could be collected: %s",
	    v->options.core_path != NULL ? v->options.core_path : "snapshot",
	    v->n_notes != 0 ? v->note_text[v->n_notes - 1] : "no worker ran");
}

/* What to do about an output that cannot be. */
static bool
begin_output(struct publish *p, const char *path, bool overwrite, bool numbered,
    bt_error_t *e)
{
	size_t used;

	if (publish_begin(p, path, overwrite, numbered, e))
		return true;
	used = strlen(e->text);
	if (overwrite == false && strstr(e->text, "exists already") != NULL)
		(void)snprintf(e->text + used, sizeof(e->text) - used,
		    "; --overwrite replaces a regular file");
	return false;
}

static bool
publish(struct supervisor *v, const struct supervisor_output *output,
    struct publish *p, bool begun, char **path_out, bt_error_t *e)
{
	bool numbered = output->path == NULL;
	struct sections *sections = run_sections(&v->run);

	if (begun == false) {
		char *path = output_path(
		    output, v->run.exe, v->run.pid, (int64_t)time(NULL));

		if (path == NULL)
			return bt_fail(e, BT_E_NOMEM, "out of memory");
		bool ok = publish_begin(
		    p, path, output->overwrite, numbered, e);
		free(path);
		if (ok == false)
			return false;
	}
	if (sections_write(sections, p, e) == false) {
		publish_abort(p);
		return false;
	}
	return publish_commit(p, output->overwrite, numbered, path_out, e);
}

/* One snapshot of what is captured by now. */
static bool
snapshot(struct supervisor *v, const struct supervisor_output *output,
    struct publish *p, bool begun, char **path_out, bool *partial,
    bt_error_t *e)
{
	bool ok = attempt_all(v, job_snapshot, e);

	if (ok && run_sections(&v->run)->count == 0)
		ok = fail_empty(v, e);
	if (ok == false && begun)
		publish_abort(p);
	note_refusals(v);
	*partial = v->run.partial || v->n_notes != 0;
	if (ok && v->n_notes != 0)
		(void)sections_warn(
		    run_sections(&v->run), v->notes, v->n_notes, true);
	return ok && publish(v, output, p, begun, path_out, e);
}

bool
supervisor_snapshot(const struct session_options *options,
    const struct supervisor_output *output,
    const struct supervisor_console *console, char **path_out, bool *partial,
    bt_error_t *e)
{
	struct supervisor v;
	struct publish p;
	bool begun = output->path != NULL, ok;

	/* An output that cannot be is refused before any work is done. */
	if (begun &&
	    begin_output(&p, output->path, output->overwrite, false, e) ==
		false)
		return false;
	ok = supervisor_init(&v, options, NULL, console, e) && capture(&v, e);
	if (ok)
		ok = snapshot(&v, output, &p, begun, path_out, partial, e);
	else if (begun)
		publish_abort(&p);
	drop_capture(&v);
	run_deinit(&v.run);
	return ok;
}

/* ---- several ---- */

/* The worker may end: its modules are unloaded while somebody listens. */
static void
end_worker(struct supervisor *v)
{
	const uint64_t patience = 2 * UINT64_C(1000000000);
	char end[96], text[256];

	if (v->more_fd >= 0)
		(void)close(v->more_fd);
	v->more_fd = -1;
	if (run_has_worker(&v->run) == false)
		return;
	run_worker_end(&v->run, bt_now_ns() + patience, v->console);
	if (v->run.module[0] == '\0')
		return;
	run_describe_end(&v->run, end, sizeof(end));
	(void)snprintf(text, sizeof(text),
	    "module '%s': the worker %s while it was unloaded", v->run.module,
	    end);
	say(v, SESSION_WARNING, text);
}

/* The process as it is now. A worker that stayed has its modules and what it
 * has opened; of another program (after an exec) that is of no use. */
static bool
capture_next(struct supervisor *v, bt_error_t *e)
{
	bool changed = false;

	if (v->capture != NULL && run_has_worker(&v->run) &&
	    capture_run_again(v->capture, v->deadline, &v->holder, &changed, e))
		return true;
	if (v->capture != NULL && run_has_worker(&v->run) && changed == false)
		return false;
	end_worker(v);
	run_clear(&v->run);
	drop_capture(v);
	if (capture(v, e) == false)
		return false;
	if (v->process_started == 0)
		v->process_started = v->capture->started;
	/* Somebody else may have its number by now. */
	return v->capture->started == v->process_started ||
	    bt_fail(e, BT_E_GONE, "process %d has ended", v->options.pid);
}

static void
begin_next(struct supervisor *v)
{

	run_clear(&v->run);
	v->n_notes = 0;
	v->options.skip = v->skip;
	v->options.modules_time_ns = v->modules_time_ns;
	v->deadline = bt_now_ns() + v->timeout_ns;
}

static void
sleep_until(uint64_t when)
{
	struct timespec t = {.tv_sec = (time_t)(when / 1000000000),
	    .tv_nsec = (long)(when % 1000000000)};

	while (
	    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* The process has ended after some were taken: that is how it ends. */
static bool
has_ended(struct supervisor *v, uint64_t taken, const bt_error_t *e)
{
	char text[96];

	if (taken == 0 || e->code != BT_E_GONE)
		return false;
	(void)snprintf(text, sizeof(text),
	    "process %d has ended; snapshots taken: %llu", v->options.pid,
	    (unsigned long long)taken);
	say(v, SESSION_INFO, text);
	return true;
}

/* Something that may be better next time. */
static bool
may_pass(struct supervisor *v, uint64_t taken, const bt_error_t *e)
{
	if (taken == 0 || e->code != BT_E_TIMEOUT)
		return false;
	say(v, SESSION_WARNING, e->text);
	drop_capture(v);
	return true;
}

static bool
watch_all(struct supervisor *v, const struct supervisor_output *output,
    const struct supervisor_watch *watch, bt_error_t *e)
{
	uint64_t taken = 0;

	for (uint64_t i = 0; watch->count == 0 || i < watch->count; i++) {
		uint64_t next = bt_now_ns() + watch->interval_ns;
		bool last = i + 1 == watch->count;
		bool partial = false, begun = output->path != NULL;
		struct publish p;
		char *path = NULL;

		begin_next(v);
		if (begun &&
		    begin_output(
			&p, output->path, output->overwrite, false, e) == false)
			return false;
		if (capture_next(v, e) == false) {
			if (begun)
				publish_abort(&p);
			if (may_pass(v, taken, e) == false)
				return has_ended(v, taken, e);
		} else if (snapshot(v, output, &p, begun, &path, &partial, e) ==
		    false) {
			return has_ended(v, taken, e);
		} else {
			taken++;
			if (watch->taken(watch->ctx, path, partial) == false)
				return true;
		}
		if (last == false)
			sleep_until(next);
	}
	return true;
}

bool
supervisor_watch(const struct session_options *options,
    const struct supervisor_output *output,
    const struct supervisor_console *console,
    const struct supervisor_watch *watch, bt_error_t *e)
{
	struct supervisor v;
	bool ok;

	ok = supervisor_init(&v, options, NULL, console, e);
	if (ok) {
		v.watches = v.run.stays = true;
		ok = watch_all(&v, output, watch, e);
		end_worker(&v);
	}
	drop_capture(&v);
	run_deinit(&v.run);
	return ok;
}

bool
supervisor_report(const struct session_options *options,
    const struct supervisor_report *report,
    const struct supervisor_console *console, bool *partial, bt_error_t *e)
{
	struct supervisor v;
	bool ok;

	ok = supervisor_init(&v, options, report, console, e) &&
	    capture(&v, e) && attempt_all(&v, job_report, e);
	if (ok && v.run.done == false)
		ok = fail_empty(&v, e);
	note_refusals(&v);
	*partial = v.run.partial || v.n_notes != 0;
	drop_capture(&v);
	run_deinit(&v.run);
	return ok;
}

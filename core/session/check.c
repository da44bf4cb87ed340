/* SPDX-License-Identifier: MIT */
/*
 * Loading a module only to look at it. Nobody need trust it yet: no line of it
 * runs outside of the walls behind which a worker reads a core. (For a snapshot
 * modules are loaded before these are raised.) Only a shared object must be
 * opened and mapped by the dynamic linker; until that is done its code can read
 * files besides.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/text.h"
#include "base/vec.h"
#include "base/write.h"
#include "session/check.h"
#include "session/check_print.h"
#include "session/link.h"
#include "session/run.h"
#include "session/sandbox.h"

enum { MISTAKES_MAX = 1000, CHECK_ARENA = 64 << 20, CHECK_OUTPUT = 16 << 20 };

struct job_check {
	const struct session_options *options;
	const struct supervisor_check *check;
	const struct worker *broker; /* NULL: no sandbox */
	struct refusals *refusals;   /* not for the worker */
	struct worker_note *note;
	int fd; /* to the supervisor */
	struct broker_client client;
	struct sandbox walls;
};

static void
add_mistake(struct check_result *r, unsigned line, const char *text)
{
	struct check_mistake *m;
	char *copy;

	/* What is seen in the text is often met again at the start. */
	for (size_t i = 0; i < r->mistakes.count; i++)
		if (strcmp(r->mistakes.items[i].text, text) == 0)
			return;
	copy = strdup(text);
	m = copy != NULL ? vec_push(&r->mistakes) : NULL;
	if (m == NULL)
		free(copy);
	else
		*m = (struct check_mistake){line, copy};
}

static void
tell_mistake(void *arg, unsigned line, const char *text)
{

	add_mistake(arg, line, text);
}

static void
result_init(struct check_result *r, const char *path)
{

	*r = (struct check_result){.path = path, .fd = -1};
	vec_init(&r->mistakes, MISTAKES_MAX);
}

static void
result_deinit(struct check_result *r)
{
	for (size_t i = 0; i < r->mistakes.count; i++)
		free(r->mistakes.items[i].text);
	vec_deinit(&r->mistakes);
}

static int
by_line(const void *a, const void *b)
{
	const struct check_mistake *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

/* ---- in the worker ---- */

static void
running(void *ctx, const char *module)
{
	const struct job_check *job = ctx;

	worker_note_set(job->note, SESSION_ANALYSIS, module);
}

static void
send_log(
    const struct job_check *job, enum session_level level, const char *text)
{
	uint8_t head = (uint8_t)level;

	(void)link_send(job->fd, LINK_LOG, &head, 1, text, strlen(text));
}

static void
log_line(void *ctx, enum pmodule_log_level level, const char *module,
    const char *text)
{
	const struct job_check *job = ctx;
	char line[1024];

	/* What goes wrong is a mistake and told as such. */
	if (level >= PMODULE_LOG_ERROR)
		return;
	(void)snprintf(line, sizeof(line), "module '%s': %s", module, text);
	send_log(job, (enum session_level)level, line);
}

/* ---- the walls ---- */

static void
prepare_walls(struct job_check *job)
{
	int keep[] = {job->fd, job->check->fd, -1};

	job->walls = (struct sandbox){.broker = &job->client,
	    .more_fd = -1,
	    .unfiltered = job->options->sandbox.unfiltered};
	if (job->broker == NULL)
		return;
	refusals_destroy(job->refusals);
	broker_client_init(&job->client, job->broker->fd, false);
	keep[2] = job->client.fd;
	sandbox_close_others(keep, sizeof(keep) / sizeof(*keep));
	sandbox_identity(
	    job->options->sandbox.uid, &job->walls.uid, &job->walls.gid);
}

static void
raise_walls(struct job_check *job)
{
	char text[224];

	if (job->broker == NULL)
		return;
	sandbox_enter(&job->walls);
	for (size_t i = 0; i < job->walls.n_missing; i++) {
		(void)snprintf(
		    text, sizeof(text), "sandbox: %s", job->walls.missing[i]);
		send_log(job, SESSION_WARNING, text);
	}
}

/* What it says is in Lua is only read by us, and behind the walls. The file is
 * opened by who we are. NULL: why is told. */
static const pmodule_descriptor_t *
load_within(
    struct job_check *job, struct check_result *r, struct module_loader *loader)
{
	const pmodule_descriptor_t *d = NULL;
	bt_error_t why;
	int fd = module_loader_open(r->path, &why);
	bool shared = module_loader_is_shared(loader, r->path);

	if (fd >= 0 && shared) {
		if (job->broker != NULL)
			sandbox_enter_loading(&job->walls);
		d = module_loader_from(loader, fd, r->path, &why);
		r->fd = d != NULL ? fd : -1;
	}
	raise_walls(job);
	if (fd >= 0 && shared == false) {
		if (module_loader_inspect(
			loader, fd, r->path, tell_mistake, r) == false) {
			(void)close(fd);
			return NULL;
		}
		d = module_loader_from(loader, fd, r->path, &why);
	}
	if (d == NULL)
		add_mistake(
		    r, module_mistake_line(r->path, why.text), why.text);
	return d;
}

/* What it said while it was loaded, each with file and line. */
static void
add_warnings(struct check_result *r, const struct snapshot *s)
{
	for (size_t i = 0; i < s->warnings.count; i++)
		add_mistake(r,
		    module_mistake_line(r->path, s->warnings.items[i].text),
		    s->warnings.items[i].text);
}

/* Keys of --module that were given and not read, by module_inspect. */
static void
add_unread(struct check_result *r, const struct session_options *o,
    const struct module_host *host)
{
	char text[512];

	for (size_t i = 0; i < o->n_module_options; i++) {
		const struct module_option *option = &o->module_options[i];

		if (strcmp(option->id, r->module) != 0)
			(void)snprintf(text, sizeof(text),
			    "--module: the module's id is '%s', not '%s'",
			    r->module, option->id);
		else if (strcmp(option->key, "enable") == 0 ||
		    module_inspect_has_asked(host, option->key))
			continue;
		else
			(void)snprintf(text, sizeof(text),
			    "--module: load of '%s' does not ask for the "
			    "option '%s'",
			    r->module, option->key);
		add_mistake(r, 0, text);
	}
}

static void
load_into(struct check_result *r, const struct job_check *job,
    struct module_host *host, const pmodule_descriptor_t *d,
    const struct snapshot *s)
{
	bt_error_t e;

	r->module = d->name;
	r->loaded = module_host_add_loaded(host, d, &e);
	add_warnings(r, s);
	if (r->loaded == false && s->warnings.count == 0)
		add_mistake(r, 0, e.text);
	if (r->loaded)
		add_unread(r, job->options, host);
}

static bool
print(const struct job_check *job, struct check_result *r,
    const struct module_host *host, bt_error_t *e)
{
	struct buf out;
	bool done;

	if (r->mistakes.count != 0)
		qsort(r->mistakes.items, r->mistakes.count,
		    sizeof(*r->mistakes.items), by_line);
	buf_init(&out, CHECK_OUTPUT);
	if (job->check->json)
		check_print_json(r, host, &out);
	else
		check_print_text(r, host, &out);
	done = out.failed == false &&
	    write_all(job->check->fd, out.data, out.size);
	buf_deinit(&out);
	return done || bt_fail_os(e, errno, "cannot write the report");
}

/* With the host, because what was registered ends with it. */
static bool
check_in_host(struct job_check *job, struct check_result *r,
    struct module_loader *loader, bt_error_t *e)
{
	const struct session_options *o = job->options;
	const pmodule_descriptor_t *d;
	struct module_host_options options = {
	    .running = running,
	    .log = log_line,
	    .ctx = job,
	    .config = o->module_options,
	    .n_config = o->n_module_options,
	    .notes_asked = true,
	};
	struct module_host *host = NULL;
	struct snapshot s;
	char name[64];
	bool done = true;

	if (snapshot_init(&s, CHECK_ARENA) == false)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	options.snapshot = &s;
	module_loader_name(r->path, name, sizeof(name));
	running(job, name);
	d = load_within(job, r, loader);
	if (d != NULL)
		done = target_empty(&options.target, e);
	host = d != NULL && done ? module_host_create(&options) : NULL;
	if (host != NULL)
		load_into(r, job, host, d, &s);
	running(job, NULL);
	done = done && print(job, r, host, e);
	module_host_destroy(host);
	target_close(options.target);
	snapshot_deinit(&s);
	return done;
}

static int
job_check(void *ctx, int fd)
{
	struct job_check *job = ctx;
	struct module_loader *loader = module_loader_create(
	    job->options->language);
	struct check_result r;
	bt_error_t e;
	bool done;

	job->fd = fd;
	prepare_walls(job);
	result_init(&r, job->check->path);
	done = loader != NULL ? check_in_host(job, &r, loader, &e)
			      : bt_fail(&e, BT_E_NOMEM, "out of memory");
	if (done == false)
		(void)link_send(fd, LINK_ERROR, &e, sizeof(e), NULL, 0);
	else if (r.mistakes.count != 0)
		(void)link_send(fd, LINK_PARTIAL, NULL, 0, NULL, 0);
	if (done)
		(void)link_send(fd, LINK_DONE, NULL, 0, NULL, 0);
	module_loader_destroy(loader);
	result_deinit(&r);
	return done ? 0 : 2;
}

/* ---- in the supervisor ---- */

/* It took the worker with it: all that is known is how. */
static bool
report_end(const struct job_check *job, const struct run *run, bt_error_t *e)
{
	struct check_result r;
	char end[96], text[192];
	bool done;

	result_init(&r, job->check->path);
	run_describe_end(run, end, sizeof(end));
	(void)snprintf(
	    text, sizeof(text), "the process that loaded it %s", end);
	add_mistake(&r, 0, text);
	done = print(job, &r, NULL, e);
	result_deinit(&r);
	return done;
}

/* No mistakes: for a snapshot it would be loaded without walls. */
static void
tell_refusals(const struct run *run, const struct supervisor_console *console)
{
	char what[96], text[256];

	for (uint32_t i = 0; i < run->refusals->count && i < REFUSALS_MAX &&
	     console->log != NULL;
	     i++) {
		const struct refusal *one = &run->refusals->items[i];

		refusals_describe(one, what, sizeof(what));
		(void)snprintf(text, sizeof(text),
		    "module '%s': %s while it was checked; --no-sandbox "
		    "allows it",
		    one->module, what);
		console->log(console->ctx, SESSION_WARNING, text);
	}
}

bool
supervisor_check(const struct session_options *options,
    const struct supervisor_check *check,
    const struct supervisor_console *console, bool *sound, bt_error_t *e)
{
	uint64_t limit = options->module_time_ns != 0
	    ? options->module_time_ns
	    : (uint64_t)SESSION_DEFAULT_MODULE_TIME_S * 1000000000;
	struct job_check job = {.options = options, .check = check};
	struct broker_options broker;
	struct run run;
	bool done;

	if (run_init(&run, SESSION_DEFAULT_MAX_SIZE) == false)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	job.note = run.note;
	broker = (struct broker_options){
	    .session = options, .note = run.note, .refusals = run.refusals};
	if (options->sandbox.off == false) {
		run.broker_options = &broker;
		job.broker = &run.broker;
		job.refusals = run.refusals;
	}
	done = run_worker(
	    &run, job_check, &job, bt_now_ns() + limit + limit / 2, console, e);
	if (done && run.has_error) {
		*e = run.error;
		done = false;
	} else if (done && run.done == false) {
		done = report_end(&job, &run, e);
	}
	tell_refusals(&run, console);
	*sound = run.done && run.partial == false;
	run_deinit(&run);
	return done;
}

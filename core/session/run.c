/* SPDX-License-Identifier: MIT */
/*
 * Listening to one worker.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/budget.h"
#include "session/link.h"
#include "session/run.h"

enum {
	NS_PER_MS = 1000000,
	PROGRESS_MS = 200,
	/* Private memory of a worker. Mapped cores and modules do not count. */
	WORKER_DATA_MIB = 4096
};

bool
run_init(struct run *r, size_t cap)
{
	memset(r, 0, sizeof(*r));
	sections_init(&r->sections, cap);
	sections_init(&r->newer, cap);
	r->note = worker_note_create();
	r->refusals = refusals_create();
	return r->note != NULL && r->refusals != NULL;
}

void
run_deinit(struct run *r)
{
	sections_deinit(&r->sections);
	sections_deinit(&r->newer);
	(void)worker_reap(&r->worker);
	(void)worker_reap(&r->broker);
	refusals_destroy(r->refusals);
	worker_note_destroy(r->note);
}

struct sections *
run_sections(struct run *r)
{

	return r->restarted && (r->done || r->newer.count >= r->sections.count)
	    ? &r->newer
	    : &r->sections;
}

/* After a restart the better half becomes the one that is kept. */
static void
restart(struct run *r)
{
	if (r->restarted && run_sections(r) == &r->newer) {
		struct sections kept = r->newer;

		r->newer = r->sections;
		r->sections = kept;
	}
	sections_clear(&r->newer);
	r->restarted = true;
}

void
run_again(struct run *r)
{
	if (r->sections.bytes.size != 0)
		restart(r);
	r->done = r->partial = r->timed_out = r->has_error = false;
	r->status = 0;
	r->module_used_ns = 0;
	worker_note_set(r->note, SESSION_OPEN, NULL);
	worker_note_walk(r->note, 0, 0, 0);
}

void
run_clear(struct run *r)
{
	sections_clear(&r->sections);
	sections_clear(&r->newer);
	r->restarted = false;
	r->log_lines = 0;
	r->module[0] = '\0';
	run_again(r);
}

static enum session_stage
stage_now(const struct run *r)
{
	unsigned stage = r->note->stage;

	return stage < SESSION_STAGE__COUNT ? (enum session_stage)stage
					    : SESSION_OPEN;
}

static void
take_identity(struct run *r, const struct link_message *m)
{
	size_t n = m->size - sizeof(r->pid);

	memcpy(&r->pid, m->data, sizeof(r->pid));
	if (n >= sizeof(r->exe))
		n = sizeof(r->exe) - 1;
	memcpy(r->exe, m->data + sizeof(r->pid), n);
	r->exe[n] = '\0';
}

static bool
take_section(struct run *r, const struct link_message *m)
{
	struct sections *s = r->restarted ? &r->newer : &r->sections;

	if (m->data[0] == LINK_HEADER)
		return sections_header(s, m->data + 1, m->size - 1);
	return sections_add(
	    s, (enum btt_section)m->data[0], m->data + 1, m->size - 1);
}

/* A worker that has been taken over could fill the terminal. */
enum { LOG_LINES_MAX = 1000 };

static void
take_log(struct run *r, const struct supervisor_console *console,
    const struct link_message *m)
{
	char text[1024];
	size_t n = m->size - 1 < sizeof(text) ? m->size - 1 : sizeof(text) - 1;

	memcpy(text, m->data + 1, n);
	text[n] = '\0';
	if (r->log_lines++ < LOG_LINES_MAX &&
	    m->data[0] < SESSION_LEVEL__COUNT && console->log != NULL)
		console->log(
		    console->ctx, (enum session_level)m->data[0], text);
}

static void
take_stats(
    const struct supervisor_console *console, const struct link_message *m)
{
	if (console->stats != NULL)
		console->stats(console->ctx, (const char *)m->data, m->size);
}

/* The least bytes a message of each kind has; a shorter one is a lie. */
static size_t
least_size(enum link_kind kind)
{
	switch (kind) {
	case LINK_SECTION:
	case LINK_LOG:
		return 1;
	case LINK_IDENTITY:
		return sizeof(int32_t);
	case LINK_ERROR:
		return sizeof(bt_error_t);
	default:
		return 0;
	}
}

/* False when the worker said something it cannot have said. */
static bool
take(struct run *r, const struct supervisor_console *console,
    const struct link_message *m)
{
	if (m->size < least_size(m->kind))
		return false;
	switch (m->kind) {
	case LINK_IDENTITY:
		take_identity(r, m);
		return true;
	case LINK_RESTART:
		restart(r);
		return true;
	case LINK_SECTION:
		return take_section(r, m);
	case LINK_LOG:
		take_log(r, console, m);
		return true;
	case LINK_STATS:
		take_stats(console, m);
		return true;
	case LINK_ERROR:
		memcpy(&r->error, m->data, sizeof(r->error));
		r->error.text[sizeof(r->error.text) - 1] = '\0';
		r->has_error = true;
		return true;
	case LINK_PARTIAL:
		r->partial = true;
		return true;
	case LINK_DONE:
		r->done = true;
		return true;
	}
	return false;
}

/* How long to sleep: to the deadline, or to the next look at the worker. */
static int
patience(uint64_t now, uint64_t deadline, bool look)
{
	uint64_t ms = deadline > now ? (deadline - now) / NS_PER_MS + 1 : 0;

	if (look && ms > PROGRESS_MS)
		ms = PROGRESS_MS;
	return ms > 3600000 ? 3600000 : (int)ms;
}

/* A module that is found running at look after look. Its callbacks may be many
 * and short: what counts is all of the time in which nobody else was seen. */
struct watch {
	char module[64];
	uint64_t since;
};

static bool
module_overruns(const struct run *r, struct watch *w, uint64_t now)
{
	char module[sizeof(w->module)];

	worker_note_module(r->note, module, sizeof(module));
	if (module[0] == '\0' || strcmp(module, w->module) != 0) {
		memcpy(w->module, module, sizeof(module));
		w->since = now;
		return false;
	}
	return r->module_time_ns != 0 && now > w->since &&
	    now - w->since > r->module_time_ns;
}

static void
tell_progress(const struct run *r, uint64_t elapsed_ns,
    const struct supervisor_console *console)
{
	struct supervisor_progress p = {.stage = stage_now(r),
	    .elapsed_ns = elapsed_ns,
	    .blocks = r->note->blocks,
	    .percent = UINT_MAX};
	uint64_t done = r->note->done, all = r->note->all;

	if (console->progress == NULL)
		return;
	if (all != 0 && done <= all)
		p.percent = (unsigned)((double)done * 100 / (double)all);
	console->progress(console->ctx, &p);
}

/* Listens until the worker is done, gone or too late. */
static void
listen_to(struct run *r, struct link_reader *reader, uint64_t deadline,
    const struct supervisor_console *console)
{
	uint64_t started = bt_now_ns();
	struct watch watch = {.since = started};

	for (;;) {
		struct pollfd p = {.fd = reader->fd, .events = POLLIN};
		uint64_t now = bt_now_ns();
		uint64_t waited = worker_waited(&r->worker), own;
		struct link_message m;

		/* A module's time is not what others took from it. */
		own = now > waited ? now - waited : 0;
		r->note->waited_ns = waited;
		if (now >= deadline || module_overruns(r, &watch, own)) {
			r->timed_out = true;
			r->module_used_ns =
			    own > watch.since ? own - watch.since : 0;
			return;
		}
		int n = poll(&p, 1,
		    patience(now, deadline,
			console->progress != NULL || r->module_time_ns != 0));
		if (n < 0 && errno != EINTR)
			return;
		tell_progress(r, bt_now_ns() - started, console);
		if (n <= 0)
			continue;
		if (link_reader_fill(reader) <= 0)
			return;
		while (link_reader_next(reader, &m))
			if (take(r, console, &m) == false)
				return;
		if (r->done || r->has_error)
			return;
	}
}

/* The end of one that is done is not waited for here: taking down its memory
 * may take longer than what is left to do. */
static void
converse(struct run *r, uint64_t deadline_ns,
    const struct supervisor_console *console)
{
	struct link_reader reader;

	link_reader_init(&reader, r->worker.fd, r->sections.bytes.cap);
	listen_to(r, &reader, deadline_ns, console);
	link_reader_deinit(&reader);
	if (r->done && r->stays == false) {
		worker_leave(&r->worker);
	} else if (r->done == false) {
		worker_stop(&r->worker);
		r->status = worker_reap(&r->worker);
	}
	if (r->done == false || r->stays == false)
		worker_stop(&r->broker);
	r->stage = stage_now(r);
	worker_note_module(r->note, r->module, sizeof(r->module));
}

/* The worker has something to do before it asks for its first file; meanwhile
 * its broker is started. */
static bool
start_both(struct run *r, const struct worker_limits *limits, worker_body *body,
    void *ctx, bt_error_t *e)
{
	bool ok;
	int own;

	if (broker_connect(&r->broker, &own, e) == false)
		return false;
	ok = worker_start(&r->worker, limits, body, ctx, e);
	if (ok == false)
		(void)close(own);
	else
		ok = broker_start(&r->broker, own, r->broker_options, e);
	worker_leave(&r->broker);
	if (ok)
		return true;
	worker_stop(&r->worker);
	(void)worker_reap(&r->worker);
	return false;
}

static bool
start(struct run *r, const struct worker_limits *limits, worker_body *body,
    void *ctx, bt_error_t *e)
{

	(void)worker_reap(&r->broker);
	return r->broker_options != NULL
	    ? start_both(r, limits, body, ctx, e)
	    : worker_start(&r->worker, limits, body, ctx, e);
}

bool
run_worker(struct run *r, worker_body *body, void *ctx, uint64_t deadline_ns,
    const struct supervisor_console *console, bt_error_t *e)
{
	uint64_t now = bt_now_ns();
	struct worker_limits limits = {
	    .data_bytes = (uint64_t)WORKER_DATA_MIB << 20,
	    .cpu_seconds =
		deadline_ns > now ? (deadline_ns - now) / 1000000000 + 5 : 5,
	};

	/* One that stays has that much for each snapshot, which only we can
	 * tell. */
	if (r->stays)
		limits.cpu_seconds = 0;
	if (start(r, &limits, body, ctx, e) == false)
		return false;
	converse(r, deadline_ns, console);
	return true;
}

bool
run_has_worker(const struct run *r)
{

	return r->stays && r->worker.pid > 0 && r->worker.fd >= 0;
}

void
run_worker_more(struct run *r, uint64_t deadline_ns,
    const struct supervisor_console *console)
{

	converse(r, deadline_ns, console);
}

void
run_worker_end(struct run *r, uint64_t deadline_ns,
    const struct supervisor_console *console)
{

	if (run_has_worker(r) == false)
		return;
	run_clear(r);
	converse(r, deadline_ns, console);
}

void
run_describe_end(const struct run *r, char *out, size_t size)
{
	if (r->timed_out)
		(void)snprintf(out, size, "took too long");
	else if (WIFSIGNALED(r->status))
		(void)snprintf(out, size, "was ended by signal %d (%s)",
		    WTERMSIG(r->status), strsignal(WTERMSIG(r->status)));
	else
		(void)snprintf(out, size, "stopped with status %d",
		    WIFEXITED(r->status) ? WEXITSTATUS(r->status) : -1);
}

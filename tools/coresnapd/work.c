/* SPDX-License-Identifier: MIT */
/*
 * What becomes of the objects: pending ones get a snapshot, snapshots are sent,
 * what cannot be done is tried again later and less and less often, and what
 * can never be done is put aside with its reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "coresnapd/daemon.h"
#include "coresnapd/defaults.h"
#include "coresnapd/words.h"
#include "service/file.h"
#include "spool/access.h"
#include "spool/facts.h"
#include "spool/limits.h"
#include "spool/purge.h"

/* sysexits.h: what coresnap-send says when trying again is no use. */
enum { EXIT_NEVER = 65, SENDERS = 1 };

/* ---- times ---- */

/* Doubled with each attempt, at most `most`, and a quarter more or less, so
 * that many machines do not come back to a server at the same moment. */
static int64_t
delay_of(const struct config *c, int64_t attempts)
{
	int64_t delay = c->retry_first;
	uint16_t chance = 32768;

	for (int64_t i = 1; i < attempts && delay < (int64_t)c->retry_most; i++)
		delay *= 2;
	if (delay > (int64_t)c->retry_most)
		delay = c->retry_most;
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = 32768;
	delay = delay * 3 / 4 + delay * chance / 131072;
	return delay > 0 ? delay : 1;
}

/* When it is due; a time so far away that no delay can have made it is one from
 * before the clock was set back. */
static int64_t
due_at(const struct config *c, const struct fields *state, int64_t now)
{
	int64_t next = fields_get_i64(state, "next", 0);

	return next > now + (int64_t)c->retry_most * 2 ? 0 : next;
}

/* ---- the ends ---- */

static void
put_aside(struct daemon *d, const struct object_id *id, enum stage from,
    struct fields *state, const char *reason)
{
	bt_error_t e;

	fields_set(state, "reason", reason);
	fields_set(state, "failed.stage", stage_name(from));
	if (spool_save_state(&d->spool, id, state, &e) == false ||
	    spool_move(&d->spool, id, from, STAGE_FAILED, &e) == false) {
		log_error(&d->log, &e);
		return;
	}
	log_say(&d->log, LOG_ERR, "crash %s put into failed/: %s", id->text,
	    reason);
}

static void
hold(int64_t *until, int64_t seconds)
{
	int64_t then = daemon_monotonic() + seconds * 1000;

	if (*until < then)
		*until = then;
}

static void
try_later(struct daemon *d, const struct object_id *id, struct fields *state,
    int64_t delay, const char *reason)
{
	bt_error_t e;

	fields_set(state, "reason", reason);
	fields_set_i64(state, "next", (int64_t)time(NULL) + delay);
	log_say(&d->log, LOG_WARNING, "crash %s: %s; again in %lld seconds",
	    id->text, reason, (long long)delay);
	if (spool_save_state(&d->spool, id, state, &e))
		return;
	log_error(&d->log, &e);
	/* What cannot be written down is at least not done at once again. */
	hold(&d->hold_making, delay);
	hold(&d->hold_sending, delay);
}

static void
say_processed(
    struct daemon *d, const struct object_id *id, const struct fields *state)
{
	int64_t seconds = (fields_get_i64(state, "spent", 0) + 500) / 1000;

	log_say(&d->log, LOG_INFO, "crash %s processed in %lld second%s",
	    id->text, (long long)seconds, seconds == 1 ? "" : "s");
}

/* How a child ended, in words. */
static void
reason_of(
    const struct job *j, int status, const char *what, char *out, size_t size)
{
	char line[512];

	job_last_line(j, line, sizeof(line));
	if (j->killed)
		(void)snprintf(out, size, "%s took too long", what);
	else if (WIFSIGNALED(status))
		(void)snprintf(out, size, "%s was killed by signal %d%s%s",
		    what, WTERMSIG(status), *line != '\0' ? ": " : "", line);
	else
		(void)snprintf(out, size, "%s ended with status %d%s%s", what,
		    WEXITSTATUS(status), *line != '\0' ? ": " : "", line);
}

/* ---- snapshots ---- */

static void
ptrace_words(struct daemon *d, const struct object_id *id,
    const struct facts *f, const struct fields *crash, struct words *w)
{
	static const struct words_value none[] = {{'\0', NULL}};
	const char *path = d->spool.path, *cut = fields_get(crash, "cut");
	int64_t coalesced = fields_get_i64(crash, "coalesced", 0);

	words_add(w, "%s", d->config.ptrace);
	words_add(w, "--faulted");
	words_add(w, "-o%s/sending/%s", path, id->text);
	words_expand(w, d->config.options, none);
	words_add(w, "--kv=coresnap.object:%s", id->text);
	if (cut != NULL)
		words_add(w, "--kv=coresnap.cut:%s", cut);
	if (coalesced != 0)
		words_add(
		    w, "--kv=coresnap.coalesced:%lld", (long long)coalesced);
	words_add(w, "--resource=%s/assets/%s", path, id->text);
	if (f->root[0] == '/' && access(f->root, X_OK) == 0)
		words_add(w, "--sysroot=%s", f->root);
	words_add(w, "--core");
	words_add(w, "%s/pending/%s", path, id->text);
	/* A relative name would be looked up in our working directory; what has
	 * another root is found by the names in the core, below that. */
	if (f->root[0] == '\0' && f->exe[0] == '/' && access(f->exe, R_OK) == 0)
		words_add(w, "%s", f->exe);
}

/* A job for the object, whose lock it takes over. 0: in the child. */
static int
start_job(struct daemon *d, enum job_kind kind, const struct object_id *id,
    int lock, uint32_t seconds)
{
	bt_error_t e;
	int pid = job_start(d, kind, id, lock, seconds, &e);

	if (pid < 0) {
		log_error(&d->log, &e);
		(void)close(lock);
	}
	return pid;
}

static void
start_ptrace(struct daemon *d, const struct object_id *id, int lock)
{
	struct fields crash;
	struct facts facts;
	struct words w;

	fields_init(&crash);
	spool_load_crash(&d->spool, id, &crash);
	facts_read(&facts, &crash);
	words_init(&w);
	ptrace_words(d, id, &facts, &crash, &w);
	if (start_job(d, JOB_PTRACE, id, lock, d->config.timeout) == 0) {
		char *const *argv = words_argv(&w);

		words_log(&w, &d->log);
		defaults_set(d->config.defaults, facts_program(&facts));
		if (argv != NULL)
			job_exec(d, argv);
		_exit(127);
	}
	words_deinit(&w);
	fields_deinit(&crash);
}

/* Whoever may read the core may read the snapshot. */
static void
open_to_owner(struct daemon *d, const struct object_id *id)
{
	struct fields crash;
	struct facts facts;
	int fd;

	fields_init(&crash);
	spool_load_crash(&d->spool, id, &crash);
	facts_read(&facts, &crash);
	fields_deinit(&crash);
	if (d->config.owner_reads == false || facts.ordinary == false ||
	    facts.uid == 0)
		return;
	fd = openat(d->spool.stage[STAGE_SENDING], id->text,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)access_allow(fd, facts.uid);
	(void)close(fd);
}

static void
ptrace_succeeded(struct daemon *d, const struct job *j, struct fields *state)
{
	bt_error_t e;

	open_to_owner(d, &j->id);
	fields_set_i64(state, "attempts", 0);
	fields_set_i64(state, "next", 0);
	fields_set(state, "reason", "");
	fields_set_i64(state, "spent", daemon_monotonic() - j->begun);
	if (spool_save_state(&d->spool, &j->id, state, &e) == false)
		log_error(&d->log, &e);
	if (spool_drop_core(&d->spool, &j->id, &e) == false)
		log_error(&d->log, &e);
	if (d->config.upload == UPLOAD_NONE)
		say_processed(d, &j->id, state);
}

/* ptrace ended because the disk is full, which is not the core's fault. */
static bool
lacks_room(const struct daemon *d, const char *reason)
{

	return limits_exhausted(&d->spool) != NULL ||
	    strstr(reason, strerror(ENOSPC)) != NULL;
}

/* Such an attempt does not count. */
static void
wait_for_room(struct daemon *d, const struct object_id *id,
    struct fields *state, const char *reason)
{
	int64_t waits = fields_get_i64(state, "waits", 0) + 1;

	fields_set_i64(state, "waits", waits);
	try_later(d, id, state, delay_of(&d->config, waits), reason);
}

static void
ptrace_done(struct daemon *d, const struct job *j, int status)
{
	int64_t attempts;
	struct fields state;
	char reason[700];

	fields_init(&state);
	spool_load_state(&d->spool, &j->id, &state);
	attempts = fields_get_i64(&state, "attempts", 0) + 1;
	if (spool_has(&d->spool, STAGE_SENDING, &j->id)) {
		ptrace_succeeded(d, j, &state);
	} else {
		reason_of(j, status, "ptrace", reason, sizeof(reason));
		if (lacks_room(d, reason)) {
			wait_for_room(d, &j->id, &state, reason);
		} else {
			fields_set_i64(&state, "attempts", attempts);
			if (attempts >= (int64_t)d->config.tries)
				put_aside(
				    d, &j->id, STAGE_PENDING, &state, reason);
			else
				try_later(d, &j->id, &state,
				    delay_of(&d->config, attempts), reason);
		}
	}
	fields_deinit(&state);
}

/* ---- sending ---- */

static void
send_words(struct daemon *d, const struct object_id *id, struct words *w)
{
	char file[4096];
	struct fields crash;
	struct facts facts;
	const char *project;

	fields_init(&crash);
	spool_load_crash(&d->spool, id, &crash);
	facts_read(&facts, &crash);
	fields_deinit(&crash);
	project = rules_project(&d->config.rules, facts_program(&facts));
	(void)snprintf(
	    file, sizeof(file), "%s/sending/%s", d->spool.path, id->text);
	const struct words_value values[] = {
	    {'p', project}, {'f', file}, {'u', id->text}, {'\0', NULL}};

	if (d->config.upload == UPLOAD_CORONER) {
		words_expand(w, d->config.upload_command, values);
		return;
	}
	words_add(w, "%s", d->config.send);
	words_add(w, "--timeout=%u", d->config.upload_timeout);
	words_add(w, "--id=%s", id->text);
	words_expand(w, d->config.upload_url, values);
	words_add(w, "%s", file);
}

static void
start_send(struct daemon *d, const struct object_id *id, int lock)
{
	struct words w;

	words_init(&w);
	send_words(d, id, &w);
	/* Some more than the sender takes for itself. */
	if (start_job(d, JOB_SEND, id, lock, d->config.upload_timeout + 10) ==
	    0) {
		char *const *argv = words_argv(&w);

		words_log(&w, &d->log);
		if (argv != NULL)
			job_exec(d, argv);
		_exit(127);
	}
	words_deinit(&w);
}

static void
send_failed(
    struct daemon *d, const struct job *j, int status, struct fields *state)
{
	int64_t attempts = fields_get_i64(state, "attempts", 0) + 1;
	int64_t delay = delay_of(&d->config, attempts);
	int64_t asked = job_number(j, "retry-after: ");
	bool never = d->config.upload == UPLOAD_HTTP && WIFEXITED(status) &&
	    WEXITSTATUS(status) == EXIT_NEVER;
	char reason[700];

	reason_of(j, status, "sending", reason, sizeof(reason));
	fields_set_i64(state, "attempts", attempts);
	if (never ||
	    (d->config.retry_count != 0 &&
		attempts >= (int64_t)d->config.retry_count)) {
		put_aside(d, &j->id, STAGE_SENDING, state, reason);
		return;
	}
	if (asked > delay)
		delay = asked < (int64_t)d->config.retry_most
		    ? asked
		    : (int64_t)d->config.retry_most;
	try_later(d, &j->id, state, delay, reason);
	/* Others would fare no better just now. */
	hold(&d->hold_sending, (int64_t)d->config.retry_first);
}

static void
send_done(struct daemon *d, const struct job *j, int status)
{
	struct fields state;
	bt_error_t e;

	fields_init(&state);
	spool_load_state(&d->spool, &j->id, &state);
	if (j->killed || WIFEXITED(status) == 0 || WEXITSTATUS(status) != 0) {
		send_failed(d, j, status, &state);
	} else {
		fields_set_i64(&state, "spent",
		    fields_get_i64(&state, "spent", 0) + daemon_monotonic() -
			j->begun);
		d->hold_sending = 0;
		if (spool_deliver(&d->spool, &j->id, &e)) {
			say_processed(d, &j->id, &state);
		} else {
			log_error(&d->log, &e);
			hold(&d->hold_sending, (int64_t)d->config.retry_first);
		}
	}
	fields_deinit(&state);
}

void
work_done(struct daemon *d, const struct job *j, int status)
{
	/* Ended by ourselves, at our own end: as if nothing had been. */
	if (d->stopping)
		return;
	d->look = true;
	switch (j->kind) {
	case JOB_PTRACE:
		ptrace_done(d, j, status);
		return;
	case JOB_SEND:
		send_done(d, j, status);
		return;
	case JOB_RECEIVE:
	case JOB_SCAN:
		return;
	}
}

/* ---- choosing ---- */

/* Locks the object and starts what its stage asks for. */
static void
start(struct daemon *d, const struct object *o, struct fields *state)
{
	bool forced = fields_get_i64(state, "force", 0) != 0;
	struct fields crash;
	bool self;
	bt_error_t e;
	int lock = spool_lock(&d->spool, &o->id, &e);

	/* Somebody else works on it, and its end will wake us. */
	if (lock < 0)
		return;
	if (spool_has(&d->spool, o->stage, &o->id) == false) {
		(void)close(lock);
		return;
	}
	if (o->stage == STAGE_SENDING) {
		start_send(d, &o->id, lock);
		return;
	}
	fields_init(&crash);
	spool_load_crash(&d->spool, &o->id, &crash);
	self = fields_get_i64(&crash, "self", 0) != 0;
	fields_deinit(&crash);
	if (self == false || forced) {
		start_ptrace(d, &o->id, lock);
		return;
	}
	put_aside(d, &o->id, STAGE_PENDING, state,
	    "a program of this collector itself has crashed");
	(void)close(lock);
}

/* Is there room for a job of this stage? */
/* On a full disk nothing is begun. */
static bool
may_make(struct daemon *d)
{
	const char *why;

	if (d->hold_making > daemon_monotonic())
		return false;
	why = limits_exhausted(&d->spool);
	if (why != NULL && d->full == false)
		log_say(&d->log, LOG_ERR, "%s (%s): snapshots wait", why,
		    d->spool.path);
	d->full = why != NULL;
	if (d->full)
		hold(&d->hold_making, (int64_t)d->config.retry_first);
	return d->full == false;
}

static bool
has_room(struct daemon *d, enum stage stage)
{
	if (stage == STAGE_PENDING)
		return jobs_count(d, JOB_PTRACE) < d->config.jobs &&
		    may_make(d);
	return stage == STAGE_SENDING && d->config.upload != UPLOAD_NONE &&
	    jobs_count(d, JOB_SEND) < SENDERS &&
	    d->hold_sending <= daemon_monotonic();
}

static void
note_next(int64_t *next, int64_t when)
{
	if (when != 0 && (*next == 0 || when < *next))
		*next = when;
}

static void
note_hold(int64_t until, int64_t monotonic, int64_t now, int64_t *next)
{
	if (until > monotonic)
		note_next(next, now + (until - monotonic + 999) / 1000);
}

static void
consider(struct daemon *d, const struct object *o, int64_t now, int64_t *next)
{
	struct fields state;
	int64_t due;

	if (has_room(d, o->stage) == false || jobs_has(d, &o->id))
		return;
	fields_init(&state);
	spool_load_state(&d->spool, &o->id, &state);
	due = due_at(&d->config, &state, now);
	if (due <= now)
		start(d, o, &state);
	else
		note_next(next, due);
	fields_deinit(&state);
}

static void
purge_if_due(struct daemon *d, int64_t now)
{
	struct purge_result result;
	bt_error_t e;

	if (d->config.purge_disabled || d->purge_at > now)
		return;
	if (purge(&d->spool, d->config.purge_age, now, &result, &e) == false) {
		log_error(&d->log, &e);
		result.next = 0;
	}
	if (result.removed != 0)
		log_say(&d->log, LOG_INFO, "%u objects purged", result.removed);
	/* What comes meanwhile is younger. */
	d->purge_at = result.next > now ? result.next
					: now + (int64_t)d->config.purge_age;
}

void
work(struct daemon *d, int64_t *next)
{
	int64_t now = time(NULL), monotonic = daemon_monotonic();
	struct objects all;
	bt_error_t e;

	*next = 0;
	purge_if_due(d, now);
	if (spool_list(&d->spool, &all, &e) == false) {
		log_error(&d->log, &e);
		*next = now + 60;
		return;
	}
	for (size_t i = 0; i < all.list.count; i++)
		consider(d, &all.list.items[i], now, next);
	if (all.list.count != 0 && d->config.purge_disabled == false)
		note_next(next, d->purge_at);
	objects_deinit(&all);
	note_hold(d->hold_sending, monotonic, now, next);
	note_hold(d->hold_making, monotonic, now, next);
}

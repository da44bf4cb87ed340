/* SPDX-License-Identifier: MIT */
/*
 * Receiving. Facts are written before the first byte of the core, so that even
 * a receiver that is killed leaves something that can be taken in.
 */
#include "spool/receive.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "service/file.h"
#include "spool/access.h"
#include "spool/incoming.h"
#include "spool/limits.h"

/* With less than this there is nothing to be had of a core. */
static const uint64_t least_room = 256 * 1024;

/* Lines that come by the thousand: the first, and then ever fewer. */
static bool
is_worth_a_line(uint64_t n)
{

	return (n & (n - 1)) == 0;
}

static bool
rates_allow(const struct spool *s, const struct config *c,
    const struct service_log *l, const struct facts *f, uint64_t *coalesced)
{
	struct limits_verdict exe, user;
	char uid[24];
	bt_error_t e;

	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)f->uid);
	if (limits_count(s, "exe", facts_program(f), &c->per_executable, &exe,
		&e) == false ||
	    limits_count(s, "uid", uid, &c->per_user, &user, &e) == false) {
		/* A limit that cannot be had does not lose a crash. */
		log_error(l, &e);
		return true;
	}
	*coalesced = exe.allowed ? exe.dropped : 0;
	if (exe.allowed && user.allowed)
		return true;
	if (exe.allowed == false && is_worth_a_line(exe.dropped))
		log_say(l, LOG_WARNING,
		    "crash of %s (process %ld) not kept: more than %u in %u "
		    "seconds; %llu not kept by now",
		    facts_program(f), (long)f->pid, c->per_executable.count,
		    c->per_executable.seconds, (unsigned long long)exe.dropped);
	else if (exe.allowed && is_worth_a_line(user.dropped))
		log_say(l, LOG_WARNING,
		    "crash of %s (process %ld) not kept: more than %u of user "
		    "%s in %u seconds; %llu not kept by now",
		    facts_program(f), (long)f->pid, c->per_user.count, uid,
		    c->per_user.seconds, (unsigned long long)user.dropped);
	return false;
}

static bool
find_room(const struct spool *s, const struct config *c,
    const struct service_log *l, const struct facts *f, uint64_t *room)
{
	const char *why = limits_exhausted(s);
	bt_error_t e;

	if (limits_room(s, c, f->uid, room, &e) == false) {
		log_error(l, &e);
		return false;
	}
	if (*room >= least_room)
		return true;
	if (why == NULL)
		why = "the quota is used up";
	log_say(l, LOG_WARNING, "crash of %s (process %ld) not kept: %s (%s)",
	    facts_program(f), (long)f->pid, why, s->path);
	return false;
}

bool
receive_is_wanted(const struct spool *s, const struct config *c,
    const struct service_log *l, const struct facts *f, bool limited)
{
	uint64_t room, coalesced;

	return find_room(s, c, l, f, &room) &&
	    (limited == false || rates_allow(s, c, l, f, &coalesced));
}

/* ---- one object ---- */

/* A program of ours that crashed is kept, but not worked on: it would most
 * likely crash again. */
static bool
is_ours(const struct config *c, const struct facts *f)
{
	static const char *const names[] = {
	    "coresnap", "coresnapd", "coresnap-send"};
	const char *name = text_basename(facts_program(f));

	if (strcmp(f->exe, c->ptrace) == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* The name of a process's crash: the same one is not taken twice. */
static bool
make_id(const struct facts *f, struct object_id *id, bt_error_t *e)
{
	struct buf text;

	if (f->started == 0 || f->proc < 0)
		return object_id_random(id, e);
	buf_init(&text, 8192);
	(void)file_read_at(
	    AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text, e);
	buf_printf(&text, " %ld %llu %lld", (long)f->pid,
	    (unsigned long long)f->started, (long long)f->time);
	object_id_of(id, text.data, text.size);
	buf_deinit(&text);
	return true;
}

struct receiver {
	const struct spool *spool;
	const struct config *config;
	const struct service_log *log;
	const struct receive_request *request;
	struct incoming incoming;
	struct fields crash;
	uint64_t room, coalesced;
};

/* Files of the assets that the owner may see, too. */
static void
open_to_owner(struct receiver *r)
{
	const struct facts *f = r->request->facts;
	int fd;

	if (r->config->owner_reads == false || f->ordinary == false ||
	    f->uid == 0)
		return;
	(void)access_allow(r->incoming.core, f->uid);
	fd = openat(
	    r->incoming.assets, "crash", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)access_allow(fd, f->uid);
	(void)close(fd);
}

static bool
take_core(struct receiver *r, bt_error_t *e)
{
	const struct receive_request *q = r->request;
	struct copy_result got;

	if (copy_core(&q->source, r->incoming.core, r->room, &got, e) == false)
		return false;
	fields_set_i64(&r->crash, "received", (int64_t)got.received);
	if (got.cut != NULL) {
		fields_set(&r->crash, "cut", got.cut);
		fields_set_i64(&r->crash, "missing", (int64_t)got.missing);
		log_say(r->log, LOG_WARNING,
		    "the core of %s (process %ld) was cut to %llu bytes: %s",
		    facts_program(q->facts), (long)q->facts->pid,
		    (unsigned long long)got.written, got.cut);
	} else {
		fields_set(&r->crash, "complete", "1");
	}
	return true;
}

static bool
take(struct receiver *r, bt_error_t *e)
{
	const struct receive_request *q = r->request;
	bool good;

	fields_init(&r->crash);
	facts_write(q->facts, &r->crash);
	fields_set(&r->crash, "origin", q->origin);
	if (r->coalesced != 0)
		fields_set_i64(&r->crash, "coalesced", (int64_t)r->coalesced);
	if (is_ours(r->config, q->facts))
		fields_set(&r->crash, "self", "1");
	facts_copy(q->facts, r->incoming.assets);
	good = fields_save(&r->crash, r->incoming.assets, "crash", e) &&
	    take_core(r, e) &&
	    fields_save(&r->crash, r->incoming.assets, "crash", e);
	fields_deinit(&r->crash);
	if (good)
		open_to_owner(r);
	return good;
}

static enum receive_result
refuse(const struct receiver *r, const bt_error_t *e)
{
	log_say(r->log, LOG_ERR, "crash of %s (process %ld) not kept: %s",
	    facts_program(r->request->facts), (long)r->request->facts->pid,
	    e->text);
	return RECEIVE_FAILED;
}

/* The place among the receivers is held. */
static enum receive_result
receive_now(struct receiver *r, struct object_id *id)
{
	const struct receive_request *q = r->request;
	bt_error_t e;

	if (q->id != NULL)
		*id = *q->id;
	else if (make_id(q->facts, id, &e) == false)
		return refuse(r, &e);
	if (incoming_begin(&r->incoming, r->spool, id, &e) == false) {
		if (e.code != BT_E_USAGE)
			return refuse(r, &e);
		log_say(r->log, LOG_INFO, "%s", e.text);
		return RECEIVE_KNOWN;
	}
	if (take(r, &e) == false) {
		incoming_abort(&r->incoming, r->spool);
		return refuse(r, &e);
	}
	if (incoming_commit(&r->incoming, r->spool, &e) == false)
		return refuse(r, &e);
	log_say(r->log, LOG_INFO, "Crash dump archived in %s/pending/%s",
	    r->spool->path, id->text);
	return RECEIVE_KEPT;
}

enum receive_result
receive(const struct spool *s, const struct config *c,
    const struct service_log *l, const struct receive_request *q,
    struct object_id *id)
{
	struct receiver r = {.spool = s, .config = c, .log = l, .request = q};
	enum receive_result result;
	bt_error_t e;
	int place;

	if (q->limited && rates_allow(s, c, l, q->facts, &r.coalesced) == false)
		return RECEIVE_DROPPED;
	place = limits_place(s, c, &e);
	if (place < 0) {
		(void)refuse(&r, &e);
		return RECEIVE_DROPPED;
	}
	/* Counted when we are among those who use it. */
	result = find_room(s, c, l, q->facts, &r.room) ? receive_now(&r, id)
						       : RECEIVE_DROPPED;
	(void)close(place);
	return result;
}

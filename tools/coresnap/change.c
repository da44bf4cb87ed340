/* SPDX-License-Identifier: MIT */
/*
 * coresnap retry, rm and purge: changes of the spool by hand, under the same
 * locks that the daemon takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "coresnap/command.h"
#include "service/file.h"
#include "spool/incoming.h"
#include "spool/purge.h"

/* Runs change on each named object, locked. */
static int
each_object(struct command_context *c,
    bool (*change)(
	struct command_context *, const struct object *, bt_error_t *))
{
	int status = COMMAND_DONE;

	for (int i = 0; i < c->n_operands; i++) {
		struct object o;
		bt_error_t e;
		int lock = -1;

		if (command_find(c, c->operands[i], &o, &e))
			lock = spool_lock(&c->spool, &o.id, &e);
		if (lock < 0 || change(c, &o, &e) == false)
			status = command_fail(&e);
		if (lock >= 0)
			(void)close(lock);
	}
	return status;
}

/* At once, and with all its attempts ahead of it. The daemon sees the state
 * change. */
static bool
retry(struct command_context *c, const struct object *o, bt_error_t *e)
{
	enum stage to = o->stage;
	struct fields state;
	bool good;

	if (o->stage == STAGE_FAILED)
		to = o->has_snapshot ? STAGE_SENDING : STAGE_PENDING;
	if (to != o->stage &&
	    spool_move(&c->spool, &o->id, o->stage, to, e) == false)
		return false;
	fields_init(&state);
	fields_set_i64(&state, "next", 0);
	fields_set_i64(&state, "attempts", 0);
	fields_set(&state, "force", c->force ? "1" : "0");
	good = spool_save_state(&c->spool, &o->id, &state, e);
	fields_deinit(&state);
	return good;
}

int
command_retry(struct command_context *c)
{

	return each_object(c, retry);
}

static bool
remove_object(struct command_context *c, const struct object *o, bt_error_t *e)
{

	return spool_remove(&c->spool, &o->id, e);
}

int
command_rm(struct command_context *c)
{

	return each_object(c, remove_object);
}

int
command_purge(struct command_context *c)
{
	uint32_t age = c->all ? 0 : c->config.purge_age;
	struct purge_result result;
	struct recovery recovery;
	bt_error_t e;

	if (c->age != NULL && config_duration(c->age, &age) == false) {
		(void)bt_fail(&e, BT_E_USAGE,
		    "--age: '%s' is not a time such as 12h, 1d", c->age);
		(void)command_fail(&e);
		return COMMAND_USAGE;
	}
	if (spool_recover(&c->spool, &recovery, &e) == false ||
	    purge(&c->spool, age, time(NULL), &result, &e) == false)
		return command_fail(&e);
	(void)printf("%u removed, %u in work\n", result.removed, result.busy);
	return fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

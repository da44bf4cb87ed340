/* SPDX-License-Identifier: MIT */
/*
 * The spool: a directory for each stage, a name for each crash.
 *
 *	incoming/UUID/   being received, locked by who receives it
 *	pending/UUID     the core
 *	assets/UUID/     what was known of the process, for ptrace --resource
 *	sending/UUID     the snapshot
 *	failed/UUID      a core or snapshot that nothing more can be done with
 *	state/UUID       how far it has come: attempts, when next, the last
 *error done/UUID        it was delivered; empty, kept as long as purge.age
 *	limits/          how often what crashed, and the places to receive in
 *
 * Where the file is, is the state of the object; it changes by one rename or
 * unlink, after everything that the new state needs is safe on the disk.
 * Whoever works on an object holds a lock on assets/UUID.
 */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include "base/vec.h"
#include "service/fields.h"

#include <sys/types.h>

struct object_id {
	char text[37];
};

enum stage { STAGE_PENDING, STAGE_SENDING, STAGE_FAILED, STAGE__COUNT };

struct spool {
	const char *path;
	int root, incoming, assets, state, done, limits;
	int stage[STAGE__COUNT];
};

/* path must outlive the spool. With create, what is missing is made; it is an
 * error when the directory belongs to somebody else or others may write to
 * it. */
bool spool_open(struct spool *s, const char *path, bool create, bt_error_t *e);
void spool_close(struct spool *s);

const char *stage_name(enum stage stage);
bool stage_parse(const char *text, size_t len, enum stage *out);

/* ---- names ---- */

bool object_id_random(struct object_id *id, bt_error_t *e);
/* The same bytes have the same name. */
void object_id_of(struct object_id *id, const void *data, size_t size);
bool object_id_is(const char *text);

/* ---- objects ---- */

struct object {
	struct object_id id;
	enum stage stage;
	bool has_core, has_snapshot;
	int64_t time;  /* of the newest file, seconds since 1970 */
	uint64_t size; /* bytes on disk, of core and snapshot */
};

struct objects {
	VEC(struct object) list;
};

/* All objects, oldest first. Names that are none of ours are left out. */
bool spool_list(const struct spool *s, struct objects *out, bt_error_t *e);
void objects_deinit(struct objects *o);

bool spool_has(
    const struct spool *s, enum stage stage, const struct object_id *id);
bool spool_is_done(const struct spool *s, const struct object_id *id);
/* Any stage, being received, or delivered. */
bool spool_knows(const struct spool *s, const struct object_id *id);

/* A lock on the object, to be closed; -1 with BT_E_LIMIT when somebody works on
 * it, BT_E_NOTFOUND when it has gone. */
int spool_lock(
    const struct spool *s, const struct object_id *id, bt_error_t *e);
bool spool_is_busy(const struct spool *s, const struct object_id *id);

/* ---- changes; the caller has the lock ---- */

bool spool_move(const struct spool *s, const struct object_id *id,
    enum stage from, enum stage to, bt_error_t *e);
/* sending/UUID is made safe, whoever wrote it, then pending/UUID is removed. */
bool spool_drop_core(
    const struct spool *s, const struct object_id *id, bt_error_t *e);
/* Remembers it as delivered and removes it. */
bool spool_deliver(
    const struct spool *s, const struct object_id *id, bt_error_t *e);
/* Removes it without that. */
bool spool_remove(
    const struct spool *s, const struct object_id *id, bt_error_t *e);

/* state/UUID; nothing when there is none. */
void spool_load_state(
    const struct spool *s, const struct object_id *id, struct fields *out);
bool spool_save_state(const struct spool *s, const struct object_id *id,
    const struct fields *state, bt_error_t *e);
/* assets/UUID/crash */
void spool_load_crash(
    const struct spool *s, const struct object_id *id, struct fields *out);

#endif /* SPOOL_SPOOL_H */

/* SPDX-License-Identifier: MIT */
/*
 * A directory of files that were made out of others, so that they need not be
 * made again: copies of debug files with their sections inflated
 * (image/copy.h).
 *
 * An entry is named after the build-id and after which file it was made of:
 * device, inode, size and times of change, as fstat(2) tells. So a file that
 * was changed, or that only claims the build-id of another, never gets the
 * other's entry.
 *
 * Entries are believed as the files they were made of are. So the directory and
 * each entry must belong to the user and be writable by nobody else; what is
 * not is as absent. Entries appear whole (base/publish.h) and never change, and
 * those go first that were used longest ago. Any number of processes may use
 * one directory at a time.
 *
 * What was looked for and is not there is noted in memory that is shared with
 * the processes that are forked later, so that whoever looks need not be who
 * makes it afterwards.
 */
#ifndef BASE_CACHE_H
#define BASE_CACHE_H

#include "base/opener.h"
#include "base/publish.h"

struct cache;

enum { CACHE_ID_MAX = 128, CACHE_PATH_MAX = 4096 };

/* All of it is foreign text: a path that was opened, a build-id in
 * hexadecimal. Both end with NUL. */
struct cache_wanted {
	enum opener_kind kind;
	bool spoilt; /* there is one, which is of no use */
	char id[CACHE_ID_MAX + 1];
	char path[CACHE_PATH_MAX];
};

/* Opens the directory; makes it (0700) when only its last part is missing.
 * `most`: bytes on disk that all entries together may take. NULL with *e: it
 * cannot be had, or is not the user's alone. To be closed by cache_close. */
struct cache *cache_open(const char *dir, uint64_t most, bt_error_t *e);
void cache_close(struct cache *c); /* NULL allowed */
const char *cache_dir(const struct cache *c);
/* For those who close all others. */
int cache_fd(const struct cache *c);

/*
 * The entry of an open file that was opened by kind and path and has this
 * build-id: a descriptor to read, which the caller owns, or -1. What is not
 * there is noted as wanted, unless it changed so short a time ago that another
 * change might leave no trace in its times.
 */
int cache_find(struct cache *c, enum opener_kind kind, const char *path,
    int file, const char *id);

/* The entry that cache_find gave is damaged: one in its place is noted as
 * wanted. Entries that cannot be named are left alone. */
void cache_spoilt(
    struct cache *c, enum opener_kind kind, const char *path, const char *id);

/* What was wanted first (0), second, ...; false: no more, or memory that holds
 * what cannot have been written there. */
bool cache_wanted(const struct cache *c, size_t i, struct cache_wanted *out);

/* Removes the entry of an open file, if it is one that would be found. */
void cache_drop(struct cache *c, int file, const char *id);

/* Begins the entry of an open file: p->fd is where to write. False with
 * BT_E_NOTFOUND: there is one by now. */
bool cache_begin(struct cache *c, int file, const char *id, struct publish *p,
    bt_error_t *e) BT_CHECK;
/* The longest an entry may be now: half of what is free on the disk at most. */
uint64_t cache_room(const struct cache *c);
/* Makes it appear, after older ones have made room for it; not when the file
 * has changed meanwhile. publish_abort is for those that are not finished. */
bool cache_commit(struct cache *c, int file, const char *id, struct publish *p,
    bt_error_t *e) BT_CHECK;

#endif /* BASE_CACHE_H */

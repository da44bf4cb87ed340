/* SPDX-License-Identifier: MIT */
/*
 * Limits. Counters and places are files below limits/, held by locks, because
 * every receiver is a process of its own.
 */
#include "spool/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "service/file.h"

/* Less is none, for cores and snapshots alike. */
enum { LEAST_SPACE = 65536 };

/* What a core leaves for the snapshot that is made of it. */
enum { SNAPSHOT_SPACE = 1024 * 1024 };

/* ---- places ---- */

static int
open_limit(const struct spool *s, const char *name, bt_error_t *e)
{
	int fd = openat(
	    s->limits, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		(void)bt_fail_os(e, errno, "cannot open limits/%s", name);
	return fd;
}

static int
try_place(const struct spool *s, unsigned number, int operation, bt_error_t *e)
{
	char name[32];
	int fd;

	(void)snprintf(name, sizeof(name), "place.%u", number);
	fd = open_limit(s, name, e);
	if (fd < 0 || flock(fd, operation) == 0)
		return fd;
	(void)close(fd);
	(void)bt_fail(e, BT_E_LIMIT, "all places to receive cores are taken");
	return -1;
}

static void
on_alarm(int signo)
{
	(void)signo;
}

int
limits_place(const struct spool *s, const struct config *c, bt_error_t *e)
{
	/* Again after the first, so that none is missed for good: the signal
	 * may come before the wait begins. */
	struct itimerval timer = {.it_value = {.tv_sec = c->wait},
	    .it_interval = {.tv_usec = 100000}};
	struct sigaction action = {.sa_handler = on_alarm}, before;
	int fd;

	for (unsigned i = 0; i < c->concurrent; i++) {
		fd = try_place(s, i, LOCK_EX | LOCK_NB, e);
		if (fd >= 0 || e->code != BT_E_LIMIT)
			return fd;
	}
	if (c->wait == 0 || sigaction(SIGALRM, &action, &before) != 0)
		return -1;
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	fd = try_place(s, (unsigned)getpid() % c->concurrent, LOCK_EX, e);
	timer = (struct itimerval){0};
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	return fd;
}

/* ---- rates ---- */

struct counter {
	int64_t window; /* seconds since 1970 when it began */
	uint64_t count;
	uint64_t dropped;
};

static void
count(struct counter *k, const struct config_rate *rate,
    struct limits_verdict *out)
{
	int64_t now = time(NULL);

	/* A clock that was set back begins a new window, too. */
	if (now < k->window || now - k->window >= (int64_t)rate->seconds) {
		k->window = now;
		k->count = 0;
	}
	out->allowed = k->count < rate->count;
	if (out->allowed) {
		k->count++;
		out->dropped = k->dropped;
		k->dropped = 0;
	} else {
		out->dropped = ++k->dropped;
	}
}

bool
limits_count(const struct spool *s, const char *kind, const char *key,
    const struct config_rate *rate, struct limits_verdict *out, bt_error_t *e)
{
	struct object_id id;
	struct counter k;
	char name[64];
	bool good;
	int fd;

	*out = (struct limits_verdict){.allowed = true};
	if (rate->count == 0)
		return true;
	object_id_of(&id, key, strlen(key));
	(void)snprintf(name, sizeof(name), "%s.%s", kind, id.text);
	fd = open_limit(s, name, e);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX) != 0) {
		(void)close(fd);
		return bt_fail_os(e, errno, "cannot lock limits/%s", name);
	}
	/* A file that is new or short counts as empty. */
	if (pread(fd, &k, sizeof(k), 0) != sizeof(k))
		k = (struct counter){0};
	count(&k, rate, out);
	good = pwrite(fd, &k, sizeof(k), 0) == sizeof(k);
	(void)close(fd);
	/* On a full disk counting fails; the room decides there. */
	return good || errno == ENOSPC || errno == EDQUOT ||
	    bt_fail_os(e, errno, "cannot write limits/%s", name);
}

/* ---- room ---- */

static bool
used_by(const struct spool *s, uid_t uid, uint64_t *used, bt_error_t *e)
{
	struct objects all;

	*used = 0;
	if (spool_list(s, &all, e) == false)
		return false;
	for (size_t i = 0; i < all.list.count; i++) {
		struct fields crash;

		fields_init(&crash);
		spool_load_crash(s, &all.list.items[i].id, &crash);
		if (fields_get_i64(&crash, "uid", -1) == (int64_t)uid)
			*used += all.list.items[i].size;
		fields_deinit(&crash);
	}
	objects_deinit(&all);
	return true;
}

/* An object needs some names of its own. */
static bool
has_no_names(const struct statvfs *fs)
{

	return fs->f_files != 0 && fs->f_favail < 16;
}

const char *
limits_exhausted(const struct spool *s)
{
	struct statvfs fs;

	if (fstatvfs(s->root, &fs) != 0)
		return NULL;
	if (fs.f_bavail * fs.f_frsize < LEAST_SPACE)
		return "no space left on the disk";
	return has_no_names(&fs) ? "no inodes left on the disk" : NULL;
}

bool
limits_room(const struct spool *s, const struct config *c, uid_t uid,
    uint64_t *room, bt_error_t *e)
{
	struct statvfs fs;
	uint64_t block, available, reserve, used;

	if (fstatvfs(s->root, &fs) != 0)
		return bt_fail_os(e, errno, "cannot tell the free space");
	block = fs.f_frsize;
	available = fs.f_bavail * block;
	/* The reserve is a part of the whole, rounded up to a block. */
	reserve = (fs.f_blocks * c->quota_percent + 99) / 100 * block;
	if (c->quota_bytes > reserve)
		reserve = c->quota_bytes;
	if (reserve < SNAPSHOT_SPACE)
		reserve = SNAPSHOT_SPACE;
	*room = available > reserve ? available - reserve : 0;
	if (has_no_names(&fs))
		*room = 0;
	if (*room > c->core_max)
		*room = c->core_max;
	if (c->user_max == 0)
		return true;
	if (used_by(s, uid, &used, e) == false)
		return false;
	if (used >= c->user_max)
		*room = 0;
	else if (*room > c->user_max - used)
		*room = c->user_max - used;
	return true;
}

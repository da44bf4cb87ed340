/* SPDX-License-Identifier: MIT */
/*
 * Coming into the spool. The order of the commit is what recovery relies on:
 * the assets have their place before the core has its name in pending/, so
 * whatever is in pending/ is complete.
 */
#include "spool/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/file.h"

static void
clear(struct incoming *in)
{
	in->dir = in->assets = in->core = -1;
}

static void
close_all(struct incoming *in)
{
	int all[] = {in->core, in->assets, in->dir};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i] >= 0)
			(void)close(all[i]);
	clear(in);
}

/* Recovery may take a directory that is not locked yet for one that a killed
 * process left: then it has gone when we have the lock, and is made again. */
static bool
open_locked(struct incoming *in, const struct spool *s, bt_error_t *e)
{
	const char *name = in->id.text;
	struct stat st;

	for (int i = 0; i < 10; i++) {
		if (mkdirat(s->incoming, name, 0700) != 0)
			return errno == EEXIST
			    ? bt_fail(
				  e, BT_E_USAGE, "%s is being received", name)
			    : bt_fail_os(
				  e, errno, "cannot create incoming/%s", name);
		in->dir = openat(s->incoming, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (in->dir >= 0 && flock(in->dir, LOCK_EX) == 0 &&
		    fstat(in->dir, &st) == 0 && st.st_nlink != 0)
			return true;
		if (in->dir >= 0)
			(void)close(in->dir);
		in->dir = -1;
	}
	return bt_fail(e, BT_E_OS, "cannot keep incoming/%s", name);
}

static bool
open_parts(struct incoming *in, const struct spool *s, bt_error_t *e)
{
	if (open_locked(in, s, e) == false)
		return false;
	if (mkdirat(in->dir, "assets", 0700) == 0)
		in->assets = openat(in->dir, "assets",
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	in->core = openat(in->dir, "core",
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (in->assets < 0 || in->core < 0)
		return bt_fail_os(
		    e, errno, "cannot create incoming/%s", in->id.text);
	return true;
}

bool
incoming_begin(struct incoming *in, const struct spool *s,
    const struct object_id *id, bt_error_t *e)
{
	clear(in);
	in->id = *id;
	if (spool_knows(s, id))
		return bt_fail(e, BT_E_USAGE, "%s is known already", id->text);
	if (open_parts(in, s, e))
		return true;
	incoming_abort(in, s);
	return false;
}

void
incoming_abort(struct incoming *in, const struct spool *s)
{
	bt_error_t e;

	/* What cannot be removed now is, at the next start of the daemon. */
	if (in->dir >= 0)
		(void)file_remove(s->incoming, in->id.text, &e);
	close_all(in);
}

/* Every step may have been done before. */
static bool
take_in(
    const struct spool *s, const struct object_id *id, int dir, bt_error_t *e)
{
	if (renameat(dir, "assets", s->assets, id->text) != 0 &&
	    (errno != ENOENT || faccessat(s->assets, id->text, F_OK, 0) != 0))
		return bt_fail_os(
		    e, errno, "cannot move the assets of %s", id->text);
	/* Whoever owns the process may read: files in it have their own. */
	if (fchmodat(s->assets, id->text, 0755, 0) != 0)
		return bt_fail_os(
		    e, errno, "cannot set the mode of assets/%s", id->text);
	return file_sync_dir(s->assets, e) &&
	    file_move(dir, "core", s->stage[STAGE_PENDING], id->text, e);
}

bool
incoming_commit(struct incoming *in, const struct spool *s, bt_error_t *e)
{
	bool good;

	if (fsync(in->core) != 0 && errno != EINVAL) {
		(void)bt_fail_os(e, errno, "cannot write the core");
		incoming_abort(in, s);
		return false;
	}
	good = file_sync_dir(in->assets, e) && file_sync_dir(in->dir, e) &&
	    take_in(s, &in->id, in->dir, e);
	if (good)
		(void)unlinkat(s->incoming, in->id.text, AT_REMOVEDIR);
	else
		incoming_abort(in, s);
	close_all(in);
	return good;
}

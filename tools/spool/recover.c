/* SPDX-License-Identifier: MIT */
/*
 * Putting a spool in order after somebody was killed in it. Every rule here
 * answers one place at which a program can be stopped.
 */
#include "spool/incoming.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/file.h"

/* Calls visit for every name in a directory; those that start with a dot are
 * temporary files. */
static bool
each_name(int dir_fd, const struct spool *s, struct recovery *out,
    void (*visit)(const struct spool *, const char *, struct recovery *),
    bt_error_t *e)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return bt_fail_os(e, errno, "cannot list a directory");
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			visit(s, entry->d_name, out);
	(void)closedir(dir);
	return true;
}

static bool
name_to_id(const char *name, struct object_id *id)
{
	if (object_id_is(name) == false)
		return false;
	memcpy(id->text, name, sizeof(id->text));
	return true;
}

static bool
sync_core(int dir)
{
	int fd = openat(dir, "core", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool safe = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	return safe;
}

/* The receiver was killed: a beginning of a core is worth a snapshot, if it is
 * known whose it is. */
static bool
adopt(const struct spool *s, const struct object_id *id, int dir)
{
	struct stat st;
	struct fields crash;
	bool good;
	bt_error_t e;
	int assets;

	if (fstatat(dir, "core", &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    st.st_size < 4096 || sync_core(dir) == false)
		return false;
	assets = openat(dir, "assets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (assets < 0)
		/* It was killed between the two renames of the commit. */
		return faccessat(s->assets, id->text, F_OK, 0) == 0 &&
		    file_move(
			dir, "core", s->stage[STAGE_PENDING], id->text, &e);
	fields_init(&crash);
	good = fields_load(&crash, assets, "crash", &e);
	if (good && fields_get(&crash, "cut") == NULL &&
	    fields_get(&crash, "complete") == NULL) {
		fields_set(&crash, "cut", "interrupted");
		good = fields_save(&crash, assets, "crash", &e);
	}
	fields_deinit(&crash);
	(void)close(assets);
	return good && renameat(dir, "assets", s->assets, id->text) == 0 &&
	    fchmodat(s->assets, id->text, 0755, 0) == 0 &&
	    file_sync_dir(s->assets, &e) &&
	    file_move(dir, "core", s->stage[STAGE_PENDING], id->text, &e);
}

static void
visit_incoming(const struct spool *s, const char *name, struct recovery *out)
{
	struct object_id id;
	bt_error_t e;
	int dir = openat(
	    s->incoming, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return;
	/* Locked: it is being received. */
	if (flock(dir, LOCK_EX | LOCK_NB) == 0) {
		if (name_to_id(name, &id) && spool_is_done(s, &id) == false &&
		    adopt(s, &id, dir))
			out->adopted++;
		else
			out->removed++;
		(void)file_remove(s->incoming, name, &e);
	}
	(void)close(dir);
}

static void
visit_done(const struct spool *s, const char *name, struct recovery *out)
{
	struct object_id id;
	bt_error_t e;
	bool left = false;

	if (name_to_id(name, &id) == false)
		return;
	for (int i = 0; i < STAGE__COUNT; i++)
		left = left || spool_has(s, (enum stage)i, &id);
	/* Delivered, and killed before it was removed. */
	if (left && spool_remove(s, &id, &e))
		out->finished++;
}

static void
visit_pending(const struct spool *s, const char *name, struct recovery *out)
{
	struct object_id id;
	bt_error_t e;

	/* The snapshot is there, and the core was not removed. */
	if (name_to_id(name, &id) == false)
		return;
	if (spool_has(s, STAGE_SENDING, &id) && spool_drop_core(s, &id, &e))
		out->finished++;
	if (spool_has(s, STAGE_FAILED, &id) &&
	    unlinkat(s->stage[STAGE_PENDING], name, 0) == 0)
		out->finished++;
	/* What is known of it was lost; the core is worth a snapshot still. */
	if (faccessat(s->assets, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
	    mkdirat(s->assets, name, 0755) == 0 && file_sync_dir(s->assets, &e))
		out->adopted++;
}

static bool
is_object(const struct spool *s, const struct object_id *id)
{
	for (int i = 0; i < STAGE__COUNT; i++)
		if (spool_has(s, (enum stage)i, id))
			return true;
	return faccessat(s->incoming, id->text, F_OK, 0) == 0;
}

static void
visit_assets(const struct spool *s, const char *name, struct recovery *out)
{
	struct object_id id;
	bt_error_t e;
	int lock;

	if (name_to_id(name, &id) == false || is_object(s, &id))
		return;
	/* A receiver has the incoming directory until the core is in its
	 * place; a daemon has this lock. */
	lock = spool_lock(s, &id, &e);
	if (lock < 0)
		return;
	if (is_object(s, &id) == false && file_remove(s->assets, name, &e))
		out->removed++;
	(void)close(lock);
}

static void
visit_state(const struct spool *s, const char *name, struct recovery *out)
{
	struct object_id id;

	if (name[0] == '.' || (name_to_id(name, &id) && !is_object(s, &id)))
		out->removed += unlinkat(s->state, name, 0) == 0;
}

bool
spool_recover(const struct spool *s, struct recovery *out, bt_error_t *e)
{
	*out = (struct recovery){0};
	return each_name(s->incoming, s, out, visit_incoming, e) &&
	    each_name(s->done, s, out, visit_done, e) &&
	    each_name(s->stage[STAGE_PENDING], s, out, visit_pending, e) &&
	    each_name(s->assets, s, out, visit_assets, e) &&
	    each_name(s->state, s, out, visit_state, e);
}

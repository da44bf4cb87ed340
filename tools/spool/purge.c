/* SPDX-License-Identifier: MIT */
/*
 * Purging.
 */
#include "spool/purge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
note_next(struct purge_result *out, int64_t when)
{
	if (out->next == 0 || when < out->next)
		out->next = when;
}

static void
purge_object(const struct spool *s, const struct object *o, uint32_t age,
    int64_t now, struct purge_result *out)
{
	bt_error_t e;
	int lock;

	if (o->time + (int64_t)age > now) {
		note_next(out, o->time + (int64_t)age);
		return;
	}
	lock = spool_lock(s, &o->id, &e);
	if (lock < 0 && e.code == BT_E_LIMIT) {
		out->busy++;
		return;
	}
	out->removed += spool_remove(s, &o->id, &e);
	if (lock >= 0)
		(void)close(lock);
}

/* Small files that remember something: markers of what was delivered, counters
 * of the limits. */
static bool
purge_memories(const struct spool *s, int dir_fd, int64_t before, bt_error_t *e)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	(void)s;
	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return bt_fail_os(e, errno, "cannot list a directory");
	}
	while ((entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		const char *dot = strchr(name, '.');
		struct stat st;
		bool memory = object_id_is(name) ||
		    (dot != NULL && object_id_is(dot + 1));

		if (memory &&
		    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime < before)
			(void)unlinkat(dir_fd, name, 0);
	}
	(void)closedir(dir);
	return true;
}

bool
purge(const struct spool *s, uint32_t age, int64_t now,
    struct purge_result *out, bt_error_t *e)
{
	struct objects all;

	*out = (struct purge_result){0};
	if (spool_list(s, &all, e) == false)
		return false;
	for (size_t i = 0; i < all.list.count; i++)
		purge_object(s, &all.list.items[i], age, now, out);
	objects_deinit(&all);
	return purge_memories(s, s->done, now - 2 * (int64_t)age, e) &&
	    purge_memories(s, s->limits, now - 2 * (int64_t)age - 3600, e);
}

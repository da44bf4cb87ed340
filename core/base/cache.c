/* SPDX-License-Identifier: MIT */
#include "base/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

enum {
	WANTED_MAX = 32,
	ENTRIES_MAX = 1 << 20,
	/* Names: ID, a point, so many digits, and the suffix. */
	IDENTITY_DIGITS = 32,
	NAME_SIZE = CACHE_ID_MAX + IDENTITY_DIGITS + 16,
	BLOCK = 512, /* of st_blocks */
	/* The times of a file move in steps of the kernel's clock. */
	SETTLED_S = 2,
	ABANDONED_S = 24 * 60 * 60
};

static const char suffix[] = ".inflated";

struct wanted {
	uint32_t n;
	struct cache_wanted items[WANTED_MAX];
};

struct cache {
	char *dir;
	int fd;
	uint64_t most;
	struct wanted *wanted; /* shared */
};

/* ---- the directory ---- */

/* Whoever else may write there may put anything there. */
static bool
check_owner(const struct stat *st, const char *dir, bt_error_t *e)
{
	if (!S_ISDIR(st->st_mode))
		return bt_fail(e, BT_E_USAGE, "%s is not a directory", dir);
	if (st->st_uid != geteuid())
		return bt_fail(e, BT_E_PERMISSION,
		    "%s belongs to user %u, not to the one who runs this (%u)",
		    dir, (unsigned)st->st_uid, (unsigned)geteuid());
	return (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    bt_fail(e, BT_E_PERMISSION,
		"%s can be written to by others; chmod go-w makes it yours",
		dir);
}

static bool
open_dir(struct cache *c, bt_error_t *e)
{
	struct stat st;

	if (mkdir(c->dir, 0700) != 0 && errno != EEXIST)
		return bt_fail_os(e, errno, "cannot make %s", c->dir);
	c->fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0 || fstat(c->fd, &st) != 0)
		return bt_fail_os(e, errno, "cannot open %s", c->dir);
	return check_owner(&st, c->dir, e);
}

struct cache *
cache_open(const char *dir, uint64_t most, bt_error_t *e)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->dir = strdup(dir)) == NULL) {
		free(c);
		(void)bt_fail(e, BT_E_NOMEM, "out of memory");
		return NULL;
	}
	c->most = most;
	c->fd = -1;
	c->wanted = mmap(NULL, sizeof(*c->wanted), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->wanted == MAP_FAILED) {
		c->wanted = NULL;
		(void)bt_fail(e, BT_E_NOMEM, "out of memory");
	} else if (open_dir(c, e)) {
		return c;
	}
	cache_close(c);
	return NULL;
}

void
cache_close(struct cache *c)
{
	if (c == NULL)
		return;
	if (c->wanted != NULL)
		(void)munmap(c->wanted, sizeof(*c->wanted));
	if (c->fd >= 0)
		(void)close(c->fd);
	free(c->dir);
	free(c);
}

const char *
cache_dir(const struct cache *c)
{
	return c->dir;
}

int
cache_fd(const struct cache *c)
{
	return c->fd;
}

/* ---- names ---- */

static bool
is_hex(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");

	return n > 0 && n <= CACHE_ID_MAX && text[n] == '\0';
}

static void
add_number(struct sha256 *s, uint64_t n)
{
	sha256_update(s, &n, sizeof(n));
}

static void
identity_of(const struct stat *st, char out[65])
{
	struct sha256 s;
	uint8_t digest[32];

	sha256_init(&s);
	add_number(&s, st->st_dev);
	add_number(&s, st->st_ino);
	add_number(&s, (uint64_t)st->st_size);
	add_number(&s, (uint64_t)st->st_mtim.tv_sec);
	add_number(&s, (uint64_t)st->st_mtim.tv_nsec);
	add_number(&s, (uint64_t)st->st_ctim.tv_sec);
	add_number(&s, (uint64_t)st->st_ctim.tv_nsec);
	sha256_final(&s, digest);
	sha256_hex(digest, out);
}

/* Another change of it would be seen. */
static bool
is_settled(const struct stat *st)
{
	struct timespec now;

	return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    st->st_ctim.tv_sec + SETTLED_S < now.tv_sec;
}

static bool
name_of(int file, const char *id, struct stat *st, char out[NAME_SIZE])
{
	char identity[65];

	if (!is_hex(id) || fstat(file, st) != 0 || !S_ISREG(st->st_mode))
		return false;
	identity_of(st, identity);
	(void)snprintf(
	    out, NAME_SIZE, "%s.%.*s%s", id, IDENTITY_DIGITS, identity, suffix);
	return true;
}

/* ---- looking ---- */

static bool
is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int
open_entry(const struct cache *c, const char *name)
{
	const struct timespec used[2] = {
	    {.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
	int fd = openat(c->fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (!is_ours(fd)) {
		(void)close(fd);
		return -1;
	}
	(void)futimens(fd, used);
	return fd;
}

static void
want(struct cache *c, enum opener_kind kind, const char *path, const char *id,
    bool spoilt)
{
	struct wanted *w = c->wanted;
	struct cache_wanted *item;

	if (w->n >= WANTED_MAX || strlen(path) >= sizeof(item->path))
		return;
	for (uint32_t i = 0; i < w->n; i++)
		if (strcmp(w->items[i].id, id) == 0 &&
		    strcmp(w->items[i].path, path) == 0)
			return;
	item = &w->items[w->n];
	item->kind = kind;
	item->spoilt = spoilt;
	(void)snprintf(item->id, sizeof(item->id), "%s", id);
	(void)snprintf(item->path, sizeof(item->path), "%s", path);
	w->n++;
}

int
cache_find(struct cache *c, enum opener_kind kind, const char *path, int file,
    const char *id)
{
	char name[NAME_SIZE];
	struct stat st;
	int fd;

	if (!name_of(file, id, &st, name))
		return -1;
	fd = open_entry(c, name);
	if (fd < 0 && is_settled(&st))
		want(c, kind, path, id, false);
	return fd;
}

void
cache_spoilt(
    struct cache *c, enum opener_kind kind, const char *path, const char *id)
{
	if (is_hex(id))
		want(c, kind, path, id, true);
}

void
cache_drop(struct cache *c, int file, const char *id)
{
	char name[NAME_SIZE];
	struct stat st;
	int fd;

	if (!name_of(file, id, &st, name) || (fd = open_entry(c, name)) < 0)
		return;
	(void)close(fd);
	(void)unlinkat(c->fd, name, 0);
}

bool
cache_wanted(const struct cache *c, size_t i, struct cache_wanted *out)
{
	if (i >= c->wanted->n || i >= WANTED_MAX)
		return false;
	*out = c->wanted->items[i];
	out->id[CACHE_ID_MAX] = '\0';
	out->path[CACHE_PATH_MAX - 1] = '\0';
	return (unsigned)out->kind < OPENER__COUNT && is_hex(out->id);
}

/* ---- making room ---- */

struct entry {
	struct timespec used;
	uint64_t bytes;
	char name[NAME_SIZE];
};

struct entries {
	VEC(struct entry) all;
	uint64_t bytes;
};

static int
by_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->used;
	const struct timespec *y = &((const struct entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n > k && strcmp(name + n - k, end) == 0;
}

/* What is neither an entry nor left by a process that was killed is somebody
 * else's, and stays. */
static void
see_file(const struct cache *c, const char *name, struct entries *list)
{
	struct entry *entry;
	struct stat st;

	if (strlen(name) >= NAME_SIZE ||
	    fstatat(c->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	if (strncmp(name, PUBLISH_TEMPORARY, strlen(PUBLISH_TEMPORARY)) == 0) {
		if (st.st_mtim.tv_sec + ABANDONED_S < time(NULL))
			(void)unlinkat(c->fd, name, 0);
		return;
	}
	if (!ends_with(name, suffix) || (entry = vec_push(&list->all)) == NULL)
		return;
	entry->used = st.st_atim;
	entry->bytes = (uint64_t)st.st_blocks * BLOCK;
	memcpy(entry->name, name, strlen(name) + 1);
	list->bytes += entry->bytes;
}

static void
make_room(struct cache *c, uint64_t bytes)
{
	struct entries list = {.bytes = bytes};
	int fd = openat(c->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *d;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	vec_init(&list.all, ENTRIES_MAX);
	while ((d = readdir(dir)) != NULL)
		see_file(c, d->d_name, &list);
	(void)closedir(dir);
	if (list.all.count > 1)
		qsort(list.all.items, list.all.count, sizeof(*list.all.items),
		    by_use);
	for (size_t i = 0; i < list.all.count && list.bytes > c->most; i++) {
		if (unlinkat(c->fd, list.all.items[i].name, 0) == 0)
			list.bytes -= list.all.items[i].bytes;
	}
	vec_deinit(&list.all);
}

/* ---- making ---- */

uint64_t
cache_room(const struct cache *c)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (fstatvfs(c->fd, &fs) != 0)
		return c->most;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize / 2;
	return free_bytes < c->most ? free_bytes : c->most;
}

bool
cache_begin(
    struct cache *c, int file, const char *id, struct publish *p, bt_error_t *e)
{
	char name[NAME_SIZE];
	struct stat st;

	if (!name_of(file, id, &st, name))
		return bt_fail(e, BT_E_USAGE, "no file, or no build-id");
	if (faccessat(c->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return bt_fail(
		    e, BT_E_NOTFOUND, "%s/%s is there", c->dir, name);
	return publish_begin_at(p, c->fd, c->dir, name, e);
}

bool
cache_commit(
    struct cache *c, int file, const char *id, struct publish *p, bt_error_t *e)
{
	char name[NAME_SIZE];
	struct stat st, entry;

	if (!name_of(file, id, &st, name) || strcmp(name, p->name) != 0) {
		publish_abort(p);
		return bt_fail(e, BT_E_MISMATCH, "it was changed meanwhile");
	}
	if (fstat(p->fd, &entry) == 0)
		make_room(c, (uint64_t)entry.st_blocks * BLOCK);
	return publish_commit(p, false, false, NULL, e);
}

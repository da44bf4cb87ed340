/* SPDX-License-Identifier: MIT */
/*
 * Opening files that somebody else chose, in this process. Paths out of a core
 * never resolve through /proc/self/fd and the like (RESOLVE_NO_MAGICLINKS),
 * and, with a sysroot, never leave it (RESOLVE_IN_ROOT: a leading slash and
 * ".." stay inside, and so do symlinks).
 */
#include "base/opener.h"
#include "base/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
/* openat2 asks for another try when a rename raced with "..". */
#define RACE_TRIES 16
#define MOST_DEBUG_DIRS 1000

static const uint64_t default_cap[OPENER__COUNT] = {
    [OPENER_CORE] = UINT64_C(1) << 50,
    [OPENER_EXE_USER] = UINT64_C(1) << 40,
    [OPENER_MODULE] = UINT64_C(1) << 40,
    [OPENER_DEBUG] = UINT64_C(1) << 40,
    [OPENER_RESOURCE] = UINT64_C(1) << 30,
    [OPENER_ATTACHED] = UINT64_C(1) << 30,
    [OPENER_ROOT] = UINT64_C(1) << 40,
    [OPENER_MAPPED] = UINT64_C(1) << 40,
    [OPENER_PROGRAM] = UINT64_C(1) << 40,
    [OPENER_THREAD] = UINT64_C(1) << 20,
};

static int
open_resolved(int dir_fd, const char *path, uint64_t resolve)
{
	struct open_how how = {.flags = OPEN_FLAGS, .resolve = resolve};
	long fd = -1;

	for (int i = 0; i < RACE_TRIES; i++) {
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return (int)fd;
}

/* Is the path below a directory of debug files that the user named? */
static bool
below_debug_dir(const struct opener_local *o, const char *path)
{
	for (size_t i = 0; i < o->debug_dirs.count; i++) {
		const char *dir = o->debug_dirs.items[i];
		size_t len = strlen(dir);

		if (len > 0 && strncmp(path, dir, len) == 0 &&
		    (path[len] == '/' || dir[len - 1] == '/'))
			return true;
	}
	return false;
}

size_t
opener_attached_base(const char *path)
{
	const char *last = NULL;

	for (const char *p = path; (p = strstr(p, "//")) != NULL; p++)
		last = p;
	return last != NULL ? (size_t)(last - path) : 0;
}

/* A look at it first: opening a device can have effects. */
static int
open_below(int dir, const char *rest)
{
	struct stat st;
	int fd;

	if (fstatat(dir, rest, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		errno = ENXIO;
		return -1;
	}
	fd = open_resolved(dir, rest, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0 && errno == ENOSYS)
		fd = openat(dir, rest, OPEN_FLAGS | O_NOFOLLOW);
	return fd;
}

static int
open_attached(const char *path)
{
	size_t base = opener_attached_base(path);
	char *dir;
	int at, fd = -1, errnum;

	if (base == 0 && strncmp(path, "//", 2) != 0) {
		errno = ENOENT;
		return -1;
	}
	dir = base != 0 ? strndup(path, base) : strdup("/");
	if (dir == NULL)
		return -1;
	at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (at < 0)
		return -1;
	fd = open_below(at, path + base + 2);
	errnum = errno;
	(void)close(at);
	errno = errnum;
	return fd;
}

static int
not_found(void)
{
	errno = ENOENT;
	return -1;
}

/* The kernel opens these whatever their names are by now. */
static int
open_mapped(const struct opener_local *o, const char *range)
{
	char name[64];

	if (o->process.proc_fd < 0 ||
	    range[strspn(range, "0123456789abcdef-")] != '\0' ||
	    snprintf(name, sizeof(name), "map_files/%s", range) >=
		(int)sizeof(name))
		return not_found();
	return openat(o->process.proc_fd, name, OPEN_FLAGS);
}

static int
open_thread(const struct opener_local *o, const char *tid)
{
	char name[64];

	if (o->process.proc_fd < 0 || tid[strspn(tid, "0123456789")] != '\0' ||
	    snprintf(name, sizeof(name), "task/%s/status", tid) >=
		(int)sizeof(name))
		return not_found();
	return openat(o->process.proc_fd, name, OPEN_FLAGS);
}

/* Of the process when that thread has ended. */
static int
open_program(const struct opener_local *o)
{
	const int dirs[] = {o->process.mm_fd, o->process.proc_fd};
	int fd = not_found();

	for (int i = 0; i < 2 && fd < 0; i++)
		if (dirs[i] >= 0)
			fd = openat(dirs[i], "exe", OPEN_FLAGS);
	return fd;
}

static int
open_of_process(
    const struct opener_local *o, enum opener_kind kind, const char *path)
{
	switch (kind) {
	case OPENER_ROOT:
		return o->process.root_fd >= 0
		    ? open_resolved(o->process.root_fd, path,
			  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
		    : not_found();
	case OPENER_MAPPED:
		return open_mapped(o, path);
	case OPENER_THREAD:
		return open_thread(o, path);
	default:
		return open_program(o);
	}
}

static int
open_path(struct opener_local *o, enum opener_kind kind, const char *path)
{
	bool foreign = kind == OPENER_MODULE || kind == OPENER_DEBUG;
	int fd;

	if (kind == OPENER_ATTACHED)
		return open_attached(path);
	if (kind >= OPENER_ROOT)
		return open_of_process(o, kind, path);
	if (foreign && o->sysroot_fd >= 0 &&
	    !(kind == OPENER_DEBUG && below_debug_dir(o, path)))
		return open_resolved(o->sysroot_fd, path,
		    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (foreign) {
		fd = open_resolved(AT_FDCWD, path, RESOLVE_NO_MAGICLINKS);
		/* A kernel before 5.6, or a container that hides the call. */
		if (fd >= 0 || errno != ENOSYS)
			return fd;
	}
	do
		fd = open(path, OPEN_FLAGS);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static bool
fail_open(int errnum, const char *path, bt_error_t *e)
{
	switch (errnum) {
	case ENOTDIR:
		(void)bt_fail_os(e, errnum, "cannot open %s", path);
		if (e != NULL)
			e->code = BT_E_NOTFOUND;
		return false;
	case ENXIO: /* a socket, or a device without a driver */
	case ENODEV:
		return bt_fail(
		    e, BT_E_FORMAT, "%s is not a regular file", path);
	default:
		return bt_fail_os(e, errnum, "cannot open %s", path);
	}
}

/* What is open must be a regular file and not too large. */
static bool
check_file(struct opener_local *o, enum opener_kind kind, int fd,
    const char *path, bt_error_t *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return bt_fail_os(e, errno, "cannot stat %s", path);
	if (S_ISDIR(st.st_mode))
		return kind == OPENER_ATTACHED ||
		    bt_fail(e, BT_E_FORMAT, "%s is a directory", path);
	if (!S_ISREG(st.st_mode))
		return bt_fail(
		    e, BT_E_FORMAT, "%s is not a regular file", path);
	if ((uint64_t)st.st_size > o->size_cap[kind])
		return bt_fail(e, BT_E_LIMIT,
		    "%s is too large: %llu bytes, the limit is %llu", path,
		    (unsigned long long)st.st_size,
		    (unsigned long long)o->size_cap[kind]);
	return true;
}

static int
local_open(
    struct opener *base, enum opener_kind kind, const char *path, bt_error_t *e)
{
	struct opener_local *o = (struct opener_local *)base;
	int fd;

	if ((unsigned)kind >= OPENER__COUNT || path == NULL || *path == '\0') {
		(void)bt_fail(e, BT_E_USAGE, "no file name to open");
		return -1;
	}
	/* The kernel records absolute paths only; anything else in a core must
	 * not name a file that happens to be in our working directory. */
	if (kind == OPENER_MODULE && path[0] != '/') {
		(void)bt_fail(
		    e, BT_E_NOTFOUND, "%s is not an absolute path", path);
		return -1;
	}
	fd = open_path(o, kind, path);
	if (fd < 0) {
		(void)fail_open(errno, path, e);
		return -1;
	}
	if (!check_file(o, kind, fd, path, e)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
local_inflated(struct opener *base, enum opener_kind kind, const char *path,
    const char *id)
{
	struct opener_local *o = (struct opener_local *)base;
	int file = local_open(base, kind, path, NULL), fd;

	if (file < 0)
		return -1;
	fd = cache_find(o->cache, kind, path, file, id);
	(void)close(file);
	return fd;
}

static void
local_spoilt(struct opener *base, enum opener_kind kind, const char *path,
    const char *id)
{
	struct opener_local *o = (struct opener_local *)base;

	cache_spoilt(o->cache, kind, path, id);
}

bool
opener_local_init(struct opener_local *o, const char *sysroot, bt_error_t *e)
{
	*o = (struct opener_local){
	    .base = {.open = local_open},
	    .sysroot_fd = -1,
	    .process = {-1, -1, -1},
	};
	vec_init(&o->debug_dirs, MOST_DEBUG_DIRS);
	memcpy(o->size_cap, default_cap, sizeof(o->size_cap));
	if (sysroot == NULL)
		return true;
	o->sysroot = strdup(sysroot);
	if (o->sysroot == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	o->sysroot_fd = open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o->sysroot_fd < 0) {
		(void)bt_fail_os(e, errno, "cannot open sysroot %s", sysroot);
		opener_local_deinit(o);
		return false;
	}
	return true;
}

bool
opener_local_debug_dir(struct opener_local *o, const char *dir, bt_error_t *e)
{
	char *copy = strdup(dir);
	char **slot;

	if (copy == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	slot = vec_push(&o->debug_dirs);
	if (slot == NULL) {
		free(copy);
		return bt_fail(e, BT_E_LIMIT, "too many debug directories");
	}
	*slot = copy;
	return true;
}

void
opener_local_process(
    struct opener_local *o, const struct opener_process *process)
{

	o->process = *process;
}

void
opener_local_cache(struct opener_local *o, struct cache *cache)
{
	o->cache = cache;
	o->base.inflated = cache != NULL ? local_inflated : NULL;
	o->base.spoilt = cache != NULL ? local_spoilt : NULL;
}

void
opener_local_deinit(struct opener_local *o)
{
	for (size_t i = 0; i < o->debug_dirs.count; i++)
		free(o->debug_dirs.items[i]);
	vec_deinit(&o->debug_dirs);
	if (o->sysroot_fd >= 0)
		(void)close(o->sysroot_fd);
	free(o->sysroot);
	o->sysroot_fd = -1;
	o->sysroot = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * The files of a live process. Their names mean something in its own root
 * directory, which in a container is not ours; and a file may have been
 * deleted or replaced since it was mapped (a package upgrade), which the inode
 * tells. The file that is really mapped is then still to be had through
 * /proc/PID/map_files, or through /proc/PID/exe if it is the executable.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target/live_private.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static const char deleted[] = " (deleted)";

/* Does the kernel's name stand for the path, which has no mark of deletion? */
static bool
is_name_of(const char *printed, const char *path)
{
	size_t len = strlen(path);

	return strncmp(printed, path, len) == 0 &&
	    (printed[len] == '\0' || strcmp(printed + len, deleted) == 0);
}

static const struct live_file *
file_of(const struct live_opener *o, const char *path)
{
	for (size_t i = 0; i < o->n_files; i++) {
		if (is_name_of(o->files[i].path, path))
			return &o->files[i];
	}
	return NULL;
}

/* Below the root of the process; links stay inside. */
static int
open_in_root(const struct live_opener *o, const char *path)
{
	struct open_how how = {.flags = OPEN_FLAGS,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = -1;

	if (o->capture->root_fd < 0)
		return -1;
	for (int i = 0; i < 16; i++) {
		fd = (int)syscall(
		    SYS_openat2, o->capture->root_fd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

static bool
is_regular(int fd, uint64_t *inode)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	*inode = st.st_ino;
	return true;
}

/* The file as it is mapped, whatever its name is by now. */
static int
open_mapped(const struct live_opener *o, const struct live_file *file)
{
	const struct capture *c = o->capture;
	size_t exe_size = c->exe.size;
	char name[64];
	uint64_t inode;
	int fd;

	(void)snprintf(name, sizeof(name), "map_files/%llx-%llx",
	    (unsigned long long)file->start, (unsigned long long)file->end);
	fd = openat(c->proc_fd, name, OPEN_FLAGS);
	if (fd < 0 && exe_size == strlen(file->path) &&
	    memcmp(c->exe.data, file->path, exe_size) == 0)
		fd = openat(c->mm_fd, "exe", OPEN_FLAGS);
	if (fd >= 0 && !is_regular(fd, &inode)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static int
open_module(struct live_opener *o, const char *path, bt_error_t *e)
{
	const struct live_file *file = file_of(o, path);
	int fd = open_in_root(o, path), mapped;
	uint64_t inode = 0;

	if (fd >= 0 && !is_regular(fd, &inode)) {
		(void)close(fd);
		fd = -1;
	}
	if (fd >= 0 && (file == NULL || inode == file->inode))
		return fd;
	mapped = file != NULL ? open_mapped(o, file) : -1;
	if (mapped >= 0) {
		if (fd >= 0)
			(void)close(fd);
		return mapped;
	}
	/* Another inode may be the same file all the same (overlays do
	 * that): its build-id decides. */
	if (fd >= 0)
		return fd;
	return o->same_root || o->capture->root_fd < 0
	    ? opener_open(o->next, OPENER_MODULE, path, e)
	    : (bt_fail(e, BT_E_NOTFOUND, "cannot open %s", path), -1);
}

/* Debug files are looked for on this machine first, then in the container. */
static int
open_debug(struct live_opener *o, const char *path, bt_error_t *e)
{
	int fd = opener_open(o->next, OPENER_DEBUG, path, e), inside;
	uint64_t inode;

	if (fd >= 0 || o->same_root)
		return fd;
	inside = open_in_root(o, path);
	if (inside >= 0 && !is_regular(inside, &inode)) {
		(void)close(inside);
		return -1;
	}
	return inside;
}

static int
live_open(
    struct opener *base, enum opener_kind kind, const char *path, bt_error_t *e)
{
	struct live_opener *o = (struct live_opener *)base;

	if (kind == OPENER_MODULE && path != NULL && path[0] == '/')
		return open_module(o, path, e);
	if (kind == OPENER_DEBUG && path != NULL && path[0] == '/')
		return open_debug(o, path, e);
	return opener_open(o->next, kind, path, e);
}

static bool
is_our_root(int root_fd)
{
	struct stat ours, theirs;

	return root_fd < 0 || stat("/", &ours) != 0 ||
	    fstat(root_fd, &theirs) != 0 ||
	    (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino);
}

void
live_opener_init(struct live *l, const struct target_options *options)
{
	l->opener = (struct live_opener){
	    .base = {.open = live_open},
	    .next = options->opener,
	    .capture = l->capture,
	    .same_root = is_our_root(l->capture->root_fd),
	    .files = l->file_places.items,
	    .n_files = l->file_places.count,
	};
}

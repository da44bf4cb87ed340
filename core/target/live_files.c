/* SPDX-License-Identifier: MIT */
/*
 * The files of a live process. Their names mean something in its own root
 * directory, which in a container is not ours; and a file may have been
 * deleted or replaced since it was mapped (a package upgrade), which the inode
 * tells. The file that is really mapped is then still to be had through
 * /proc/PID/map_files, or through /proc/PID/exe if it is the executable.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/live_private.h"

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
open_in_root(struct live_opener *o, const char *path)
{
	bt_error_t e;

	return opener_open(o->next, OPENER_ROOT, path, &e);
}

static bool
is_inode(int fd, uint64_t inode)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == inode;
}

/* The file as it is mapped, whatever its name is by now. */
static int
open_mapped(struct live_opener *o, const struct live_file *file)
{
	const struct capture *c = o->capture;
	size_t exe_size = c->exe.size;
	char range[64];
	bt_error_t e;
	int fd;

	(void)snprintf(range, sizeof(range), "%llx-%llx",
	    (unsigned long long)file->start, (unsigned long long)file->end);
	fd = opener_open(o->next, OPENER_MAPPED, range, &e);
	if (fd < 0 && exe_size == strlen(file->path) &&
	    memcmp(c->exe.data, file->path, exe_size) == 0)
		fd = opener_open(o->next, OPENER_PROGRAM, file->path, &e);
	return fd;
}

static int
open_module(struct live_opener *o, const char *path, bt_error_t *e)
{
	const struct live_file *file = file_of(o, path);
	int fd = open_in_root(o, path), mapped;

	if (fd >= 0 && (file == NULL || is_inode(fd, file->inode)))
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
	return o->capture->same_root
	    ? opener_open(o->next, OPENER_MODULE, path, e)
	    : (bt_fail(e, BT_E_NOTFOUND, "cannot open %s", path), -1);
}

/* Debug files are looked for on this machine first, then in the container. */
static int
open_debug(struct live_opener *o, const char *path, bt_error_t *e)
{
	int fd = opener_open(o->next, OPENER_DEBUG, path, e);

	return fd >= 0 || o->capture->same_root ? fd : open_in_root(o, path);
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

/* The first of those that live_open will ask for. */
static void
live_expect(struct opener *base, enum opener_kind kind, const char *path)
{
	struct live_opener *o = (struct live_opener *)base;

	opener_expect(o->next,
	    kind == OPENER_MODULE && path[0] == '/' ? OPENER_ROOT : kind, path);
}

void
live_opener_init(struct live *l, const struct target_options *options)
{
	l->opener = (struct live_opener){
	    .base = {.open = live_open, .expect = live_expect},
	    .next = options->opener,
	    .capture = l->capture,
	    .files = l->file_places.items,
	    .n_files = l->file_places.count,
	};
}

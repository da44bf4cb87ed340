/* SPDX-License-Identifier: MIT */
/*
 * Files the user attaches: one file, or a directory with everything below it.
 * Only regular files, no links out of the tree, and caps on count, depth and
 * size, so that a log directory that grew cannot sink the snapshot.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "session/session_private.h"

enum {
	RESOURCES_FILES = 1024,
	RESOURCES_DEPTH = 16,
	RESOURCES_ENTRIES = 65536 /* directory entries looked at */
};

struct attach {
	struct session *s;
	uint64_t left; /* bytes that may still be attached */
	unsigned entries;
	unsigned depth;
};

static void
warn(struct session *s, const char *name, const char *what)
{

	snapshot_warn(
	    s->snapshot, "resources", "resource", "%s: %s", name, what);
}

/* What the user has named, and is not there, is a mistake to be told at once.
 */
static void
warn_loudly(struct session *s, const char *name, const char *what)
{
	char text[512];

	warn(s, name, what);
	(void)snprintf(text, sizeof(text), "--resource: %s", what);
	if (s->sink->log != NULL)
		s->sink->log(s->sink->ctx, SESSION_WARNING, text);
}

/* The whole of an open file, as far as there is room. Takes the fd. */
static void
attach_fd(struct attach *a, int fd, const char *name)
{
	struct snap_resource *out;
	struct stat st;
	uint8_t *data;
	uint64_t want, got = 0;

	if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode) == false ||
	    a->s->snapshot->resources.count >= RESOURCES_FILES) {
		warn(a->s, name, "not a regular file, or too many of them");
		(void)close(fd);
		return;
	}
	want = (uint64_t)st.st_size < a->left ? (uint64_t)st.st_size : a->left;
	data = arena_alloc(&a->s->snapshot->arena, (size_t)want);
	while (data != NULL && got < want) {
		ssize_t n = read(fd, data + got, (size_t)(want - got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* shorter now than it was */
		got += (uint64_t)n;
	}
	(void)close(fd);
	out = data != NULL ? vec_push(&a->s->snapshot->resources) : NULL;
	if (out == NULL) {
		warn(a->s, name, "no room");
		return;
	}
	a->left -= got;
	out->name = snapshot_string(a->s->snapshot, name);
	out->size = got;
	out->data = data;
	out->truncated = got < (uint64_t)st.st_size;
	if (out->truncated)
		warn(a->s, name, "cut short: the snapshot's cap is reached");
}

static void attach_directory(
    struct attach *a, int fd, const char *path, const char *name);

/* One entry of a directory: path is what the opener takes, name what is shown.
 * Links are not followed: they lead out. */
static void
attach_entry(
    struct attach *a, const char *entry, const char *path, const char *name)
{
	struct snapshot *s = a->s->snapshot;
	const char *below = snapshot_printf(s, "%s/%s", path, entry);
	const char *shown = snapshot_printf(s, "%s/%s", name, entry);
	struct stat st;
	bt_error_t e;
	int fd = opener_open(a->s->opener, OPENER_ATTACHED, below, &e);

	if (fd < 0)
		warn(a->s, shown,
		    e.code == BT_E_FORMAT ? "neither a file nor a directory"
			: e.errnum != 0	  ? strerror(e.errnum)
					  : e.text);
	else if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		attach_directory(a, fd, below, shown);
	else
		attach_fd(a, fd, shown);
}

static int
by_name(const void *a, const void *b)
{

	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of a directory in a fixed order, so that the same tree gives the
 * same snapshot. */
static size_t
read_names(struct attach *a, DIR *d, char ***out)
{
	VEC(char *) names;
	struct dirent *entry;

	vec_init(&names, RESOURCES_ENTRIES);
	while (a->entries < RESOURCES_ENTRIES && (entry = readdir(d)) != NULL) {
		char **slot;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		a->entries++;
		slot = vec_push(&names);
		if (slot == NULL || (*slot = strdup(entry->d_name)) == NULL)
			break;
	}
	while (names.count != 0 && names.items[names.count - 1] == NULL)
		names.count--;
	if (names.count != 0)
		qsort(names.items, names.count, sizeof(char *), by_name);
	*out = names.items;
	return names.count;
}

/* Takes the fd. Depth is capped, so the recursion is. */
static void
attach_directory(struct attach *a, int fd, const char *path, const char *name)
{
	DIR *d = a->depth < RESOURCES_DEPTH ? fdopendir(fd) : NULL;
	char **names;
	size_t n;

	if (d == NULL) {
		warn(a->s, name, "the tree is too deep or cannot be read");
		(void)close(fd);
		return;
	}
	a->depth++;
	n = read_names(a, d, &names);
	for (size_t i = 0; i < n; i++) {
		if (session_has_time(a->s) && budget_step(&a->s->budget))
			attach_entry(a, names[i], path, name);
		free(names[i]);
	}
	free(names);
	a->depth--;
	(void)closedir(d);
}

static void
attach(struct attach *a, const char *path)
{
	const char *name = path, *dir;
	bt_error_t e;
	int fd;

	/* "logs/" has no last component. */
	if (*text_basename(path) != '\0')
		name = text_basename(path);
	/* As a directory, below which its entries are asked for. */
	dir = snapshot_printf(a->s->snapshot, "%s//.", path);
	fd = opener_open(a->s->opener, OPENER_ATTACHED, dir, &e);
	if (fd >= 0) {
		attach_directory(
		    a, fd, snapshot_printf(a->s->snapshot, "%s/", path), name);
		return;
	}
	fd = opener_open(a->s->opener, OPENER_RESOURCE, path, &e);
	if (fd >= 0)
		attach_fd(a, fd, name);
	else
		warn_loudly(a->s, path, e.text);
}

void
collect_resources(struct session *s)
{
	const char *const *paths = s->options->resources;
	uint64_t max = s->options->max_size != 0 ? s->options->max_size
						 : SESSION_DEFAULT_MAX_SIZE;
	struct attach a = {.s = s, .left = max / 2};

	for (size_t i = 0; paths[i] != NULL; i++)
		attach(&a, paths[i]);
}

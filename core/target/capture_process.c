/* SPDX-License-Identifier: MIT */
/*
 * What the system keeps of a process besides its memory: limits, descriptors,
 * where its root is, in which namespaces it lives. It is read before the stop,
 * below directories that were opened when the process was looked at first, so
 * that nothing of another one with its number can get in.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/capture_private.h"

/* The kernel's longest text of a link: one page. */
enum { LINK_MAX_SIZE = 4096 };
/* Descriptors that are counted; fs.nr_open is a million. */
static const size_t descriptors_max = (size_t)1 << 20;

static const char *const namespaces[] = {
    "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

static bool
read_link(struct taking *t, int dir, const char *path, struct capture_text *out)
{
	char text[LINK_MAX_SIZE];
	ssize_t n = readlinkat(dir, path, text, sizeof(text));
	uint8_t *copy = n > 0 ? capture_alloc(t->c, (size_t)n) : NULL;

	if (copy == NULL)
		return false;
	memcpy(copy, text, (size_t)n);
	*out = (struct capture_text){copy, (size_t)n};
	return true;
}

/* Of each number the list has, what it leads to. One that was closed meanwhile
 * is left out. */
static void
read_descriptors(struct taking *t)
{
	struct capture *c = t->c;
	int dir = openat(c->mm_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tid_vec numbers;

	if (dir < 0)
		return;
	vec_init(&numbers, descriptors_max);
	c->descriptors_known = capture_tids(dir, &numbers);
	c->n_open = numbers.count;
	if (c->n_open != 0)
		c->descriptors = capture_alloc(c,
		    (c->n_open < CAPTURE_DESCRIPTORS ? c->n_open
						     : CAPTURE_DESCRIPTORS) *
			sizeof(*c->descriptors));
	for (size_t i = 0; i < numbers.count && c->descriptors != NULL &&
	     c->n_descriptors < CAPTURE_DESCRIPTORS;
	     i++) {
		struct capture_descriptor *d =
		    &c->descriptors[c->n_descriptors];
		char path[16];

		(void)snprintf(path, sizeof(path), "%u", numbers.items[i]);
		if (!read_link(t, dir, path, &d->link))
			continue;
		d->number = numbers.items[i];
		c->n_descriptors++;
	}
	vec_deinit(&numbers);
	(void)close(dir);
}

/* Which of them are not ours. */
static void
read_namespaces(struct capture *c)
{
	size_t used = 0;

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++) {
		struct stat ours, theirs;
		char path[32];
		int n;

		(void)snprintf(path, sizeof(path), "ns/%s", namespaces[i]);
		if (fstatat(c->mm_fd, path, &theirs, 0) != 0)
			continue;
		(void)snprintf(
		    path, sizeof(path), "/proc/self/ns/%s", namespaces[i]);
		if (stat(path, &ours) != 0 ||
		    (ours.st_dev == theirs.st_dev &&
			ours.st_ino == theirs.st_ino))
			continue;
		n = snprintf(c->namespaces + used, sizeof(c->namespaces) - used,
		    "%s%s", used != 0 ? "," : "", namespaces[i]);
		if (n > 0 && (size_t)n < sizeof(c->namespaces) - used)
			used += (size_t)n;
	}
}

void
process_read(struct taking *t)
{
	struct capture *c = t->c;

	(void)capture_read_text(t, c->mm_fd, "environ", &c->environ);
	(void)capture_read_text(t, c->mm_fd, "cgroup", &c->cgroup);
	(void)capture_read_text(t, c->mm_fd, "limits", &c->limits);
	(void)read_link(t, c->mm_fd, "exe", &c->exe);
	(void)read_link(t, c->mm_fd, "cwd", &c->cwd);
	(void)read_link(t, c->mm_fd, "root", &c->root);
	read_namespaces(c);
	read_descriptors(t);
}

/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/vec.h"
#include "module/condition.h"
#include "module/shipped.h"

enum { SHIPPED_MAX = 64, NAME_SIZE = 65 };

struct shipped {
	char *path;
	char name[NAME_SIZE];
	int fd; /* the file whose head was read; -1: handed over */
	struct condition when;
};

struct shipped_modules {
	VEC(struct shipped *) items;
	shipped_refused_fn *refused;
	void *ctx;
};

static void
shipped_free(struct shipped *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->path);
	free(s);
}

static bool
read_head(struct shipped *s, bt_error_t *e)
{
	char head[CONDITION_HEAD + 1];
	ssize_t n = pread(s->fd, head, sizeof(head), 0);

	if (n < 0)
		return bt_fail_os(e, errno, "%s", s->path);
	return condition_parse(&s->when, s->path, head, (size_t)n, e);
}

static struct shipped *
shipped_new(int at, const char *dir, const char *file, bt_error_t *e)
{
	struct shipped *s = calloc(1, sizeof(*s));

	if (s == NULL || asprintf(&s->path, "%s/%s", dir, file) < 0) {
		free(s);
		(void)bt_fail(e, BT_E_NOMEM, "out of memory");
		return NULL;
	}
	module_loader_name(file, s->name, sizeof(s->name));
	s->fd = module_loader_open_at(at, file, s->path, e);
	if (s->fd >= 0 && read_head(s, e))
		return s;
	shipped_free(s);
	return NULL;
}

static void
add(struct shipped_modules *m, struct shipped *s)
{
	struct shipped **place = vec_push(&m->items);

	if (place != NULL)
		*place = s;
	else
		shipped_free(s);
}

static int
by_name(const void *a, const void *b)
{
	const struct shipped *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void
read_directory(
    struct shipped_modules *m, DIR *dir, const char *path, const char *suffix)
{
	size_t n = strlen(suffix);
	const struct dirent *d;
	bt_error_t e;

	while ((d = readdir(dir)) != NULL) {
		size_t size = strlen(d->d_name);
		struct shipped *s;

		if (d->d_name[0] == '.' || size <= n ||
		    strcmp(d->d_name + size - n, suffix) != 0)
			continue;
		s = shipped_new(dirfd(dir), path, d->d_name, &e);
		if (s != NULL)
			add(m, s);
		else
			m->refused(m->ctx, &e);
	}
	if (m->items.count != 0)
		qsort(m->items.items, m->items.count, sizeof(*m->items.items),
		    by_name);
}

struct shipped_modules *
shipped_modules_open(const char *path, const char *suffix,
    shipped_refused_fn *refused, void *ctx)
{
	struct shipped_modules *m;
	bt_error_t e;
	int fd = module_loader_open_dir(path, &e);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		else if (e.errnum != ENOENT)
			refused(ctx, &e);
		return NULL;
	}
	m = calloc(1, sizeof(*m));
	if (m != NULL) {
		m->refused = refused;
		m->ctx = ctx;
		vec_init(&m->items, SHIPPED_MAX);
		read_directory(m, dir, path, suffix);
	}
	(void)closedir(dir);
	return m;
}

void
shipped_modules_close(struct shipped_modules *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->items.count; i++)
		shipped_free(m->items.items[i]);
	vec_deinit(&m->items);
	free(m);
}

size_t
shipped_modules_count(const struct shipped_modules *m)
{

	return m != NULL ? m->items.count : 0;
}

const char *
shipped_modules_name(const struct shipped_modules *m, size_t i)
{

	return m->items.items[i]->name;
}

bool
shipped_modules_wanted(const struct shipped_modules *m, size_t i,
    struct target *t, struct value_reader *r)
{

	return condition_holds(&m->items.items[i]->when, t, r);
}

const pmodule_descriptor_t *
shipped_modules_load(
    struct shipped_modules *m, size_t i, struct module_loader *l, bt_error_t *e)
{
	struct shipped *s = m->items.items[i];
	const pmodule_descriptor_t *d = module_loader_from(
	    l, s->fd, s->path, e);

	s->fd = -1;
	if (d != NULL && strcmp(d->name, s->name) != 0) {
		(void)bt_fail(e, BT_E_MISMATCH,
		    "%s: the id is '%s', not the name of the file", s->path,
		    d->name);
		return NULL;
	}
	return d;
}

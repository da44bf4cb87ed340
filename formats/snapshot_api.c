/* SPDX-License-Identifier: MIT */
/*
 * include/ptrace/snapshot.h: the reader and the JSON writer for other programs.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ptrace/snapshot.h>

#include "base/opener.h"
#include "formats/btt.h"
#include "formats/json.h"

enum { READ_CAP_MIB = 1024, JSON_CAP_MIB = 512 };

struct ptrace_snapshot {
	struct snapshot model;
	struct buf json;
};

/* What the caller declared is at least what the first version had. */
#define FITS(OUT, TYPE) ((OUT)->size >= offsetof(TYPE, reserved))

bool
ptrace_snapshot_read(
    const void *data, size_t size, ptrace_snapshot_t **out, bt_error_t *e)
{
	ptrace_snapshot_t *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL ||
	    snapshot_init(&s->model, (size_t)READ_CAP_MIB << 20) == false) {
		free(s);
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	}
	buf_init(&s->json, (size_t)JSON_CAP_MIB << 20);
	if (btt_read(data, size, &s->model, e) == false) {
		ptrace_snapshot_close(s);
		return false;
	}
	*out = s;
	return true;
}

static bool
read_fd(int fd, const char *path, ptrace_snapshot_t **out, bt_error_t *e)
{
	struct stat st;
	void *data;
	bool ok;

	if (fstat(fd, &st) != 0 || st.st_size <= 0)
		return bt_fail_format(e, 0, "%s: the file is empty", path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return bt_fail_os(e, errno, "%s: cannot map", path);
	ok = ptrace_snapshot_read(data, (size_t)st.st_size, out, e);
	(void)munmap(data, (size_t)st.st_size);
	return ok || bt_wrap(e, "%s", path);
}

bool
ptrace_snapshot_open(const char *path, ptrace_snapshot_t **out, bt_error_t *e)
{
	struct opener_local opener;
	bool ok = false;
	int fd;

	*out = NULL;
	if (opener_local_init(&opener, NULL, e) == false)
		return false;
	fd = opener_open(&opener.base, OPENER_RESOURCE, path, e);
	if (fd >= 0) {
		ok = read_fd(fd, path, out, e);
		(void)close(fd);
	}
	opener_local_deinit(&opener);
	return ok;
}

void
ptrace_snapshot_close(ptrace_snapshot_t *s)
{

	if (s == NULL)
		return;
	buf_deinit(&s->json);
	snapshot_deinit(&s->model);
	free(s);
}

bool
ptrace_snapshot_partial(const ptrace_snapshot_t *s)
{

	return s->model.partial;
}

const char *
ptrace_snapshot_fingerprint(const ptrace_snapshot_t *s)
{

	return s->model.fingerprint != NULL ? s->model.fingerprint : "";
}

uint32_t
ptrace_snapshot_n_classifiers(const ptrace_snapshot_t *s)
{

	return (uint32_t)s->model.classifiers.count;
}

const char *
ptrace_snapshot_classifier(const ptrace_snapshot_t *s, uint32_t i)
{

	return i < s->model.classifiers.count ? s->model.classifiers.items[i]
					      : NULL;
}

const char *
ptrace_snapshot_attribute(ptrace_snapshot_t *s, const char *key)
{
	const struct snap_attribute *a = snapshot_attr_find(&s->model, key);

	if (a == NULL)
		return NULL;
	switch (a->kind) {
	case SNAP_ATTR_STRING:
		return a->value.s;
	case SNAP_ATTR_INT:
		return snapshot_printf(&s->model, "%" PRId64, a->value.i);
	case SNAP_ATTR_UINT:
		return snapshot_printf(&s->model, "%" PRIu64, a->value.u);
	case SNAP_ATTR_DOUBLE:
		return snapshot_printf(&s->model, "%.17g", a->value.f);
	case SNAP_ATTR_BOOL:
		return a->value.b ? "true" : "false";
	default:
		return snapshot_printf(&s->model, "0x%" PRIx64, a->value.u);
	}
}

uint32_t
ptrace_snapshot_n_threads(const ptrace_snapshot_t *s)
{

	return (uint32_t)s->model.threads.count;
}

bool
ptrace_snapshot_thread_at(
    const ptrace_snapshot_t *s, uint32_t thread, ptrace_snapshot_thread_t *out)
{
	const struct snap_thread *t;

	if (thread >= s->model.threads.count ||
	    FITS(out, ptrace_snapshot_thread_t) == false)
		return false;
	t = &s->model.threads.items[thread];
	out->tid = t->tid;
	out->fault = t->fault;
	out->n_frames = t->n_frames;
	out->name = t->name;
	return true;
}

bool
ptrace_snapshot_frame_at(const ptrace_snapshot_t *s, uint32_t thread,
    uint32_t frame, ptrace_snapshot_frame_t *out)
{
	const struct snap_frame *f;

	if (thread >= s->model.threads.count ||
	    frame >= s->model.threads.items[thread].n_frames ||
	    FITS(out, ptrace_snapshot_frame_t) == false)
		return false;
	f = &s->model.threads.items[thread].frames[frame];
	out->ip = f->ip;
	out->line = f->location->line;
	out->symbol = f->location->symbol;
	out->object = f->location->object;
	out->path = f->location->path;
	out->is_inline = f->location->is_inline;
	return true;
}

const char *
ptrace_snapshot_json(ptrace_snapshot_t *s, size_t *size)
{

	if (s->json.size == 0) {
		json_write(&s->model, true, &s->json);
		buf_putc(&s->json, '\0');
	}
	if (s->json.failed)
		return NULL;
	if (size != NULL)
		*size = s->json.size - 1;
	return (const char *)s->json.data;
}

/* SPDX-License-Identifier: MIT */
/*
 * Opening a core file: map it (or inflate it), read what it says about itself,
 * and hand over to the common part. The file is mapped whole and read at
 * random, so the kernel is told not to read ahead: of a large core only the
 * pages that the answer needs are touched.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "target/core_private.h"

static const size_t ranges_max = (size_t)1 << 22;

static void
core_close(struct target *t)
{
	struct core *c = (struct core *)t;

	target_deinit(t);
	vec_deinit(&c->ranges);
	if (c->map != NULL)
		munmap(c->map, c->size);
	free(c);
}

static const struct target_ops core_ops = {
    .view = core_view,
    .held = core_held,
    .stream = core_stream,
    .expect = core_expect,
    .fetch = NULL,
    .close = core_close,
};

/* Those we do not inflate ourselves. */
static const char *
compression_of(struct view file, const char **tool)
{
	static const struct {
		const char *name, *tool;
		uint8_t size, magic[4];
	} known[] = {
	    {"lz4", "lz4 -d", 4, {0x04, 0x22, 0x4d, 0x18}},
	    {"bzip2", "bunzip2", 3, {'B', 'Z', 'h'}},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (file.size >= known[i].size &&
		    memcmp(file.data, known[i].magic, known[i].size) == 0) {
			*tool = known[i].tool;
			return known[i].name;
		}
	}
	return NULL;
}

static bool
core_map(struct core *c, const char *path, bt_error_t *e)
{
	struct stat st;
	int fd, errnum;

	fd = opener_open(c->base.opener, OPENER_CORE, path, e);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0) {
		errnum = errno;
		close(fd);
		return bt_fail_os(e, errnum, "%s", c->path);
	}
	if (st.st_size == 0) {
		close(fd);
		return bt_fail_format(
		    e, 0, "%s is empty, not a core file", c->path);
	}
	c->size = (size_t)st.st_size;
	c->map = mmap(NULL, c->size, PROT_READ, MAP_PRIVATE, fd, 0);
	errnum = errno;
	close(fd);
	if (c->map == MAP_FAILED) {
		c->map = NULL;
		return bt_fail_os(e, errnum, "%s: cannot map %llu bytes",
		    c->path, (unsigned long long)c->size);
	}
	(void)madvise(c->map, c->size, MADV_RANDOM);
	c->file = view_of(c->map, c->size);
	c->base.process.core_size = (uint64_t)st.st_size;
	c->base.process.core_mtime = st.st_mtime;
	return true;
}

/* The header says that it is a core, and that is all there is: a snapshot that
 * says so is more to whoever collects them than an error. Not of a compressed
 * file, which was whole once: it had better be fetched again. */
static bool
nothing_found(struct core *c, bt_error_t *e)
{
	if (c->inflated)
		return bt_fail_format(e, c->size,
		    "%s: only %zu bytes could be inflated, which hold no "
		    "threads and no memory",
		    c->path, c->size);
	c->base.process.core_truncated = true;
	if (c->n_phdrs == 0)
		target_warn(&c->base, "core.truncated",
		    "cut off at offset %zu, before its program headers: it "
		    "holds no threads and no memory",
		    c->size);
	else
		target_warn(&c->base, "core.empty",
		    "no usable program header (by offset 0x20): it holds no "
		    "threads and no memory");
	return true;
}

static bool
core_load(struct core *c, const struct target_options *options, bt_error_t *e)
{
	const char *compression, *tool = NULL;

	if (options->core_path == NULL || options->opener == NULL)
		return bt_fail(e, BT_E_USAGE, "no core file given");
	c->path = target_show(&c->base, options->core_path);
	if (!core_map(c, options->core_path, e))
		return false;
	compression = compression_of(c->file, &tool);
	if (compression != NULL)
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "%s is compressed with %s; decompress it first (%s)",
		    c->path, compression, tool);
	if (!core_inflate(c, e) || !core_header(c, e))
		return false;
	if (!core_segments(c, e))
		return false;
	core_notes(c);
	if (c->base.loads.count == 0 && c->base.threads.count == 0 &&
	    nothing_found(c, e) == false)
		return false;
	core_notes_finish(c);
	return target_finish(&c->base, e);
}

bool
target_core_open(
    const struct target_options *options, struct target **out, bt_error_t *e)
{
	struct core *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	vec_init(&c->ranges, ranges_max);
	if (options->exe_path != NULL)
		opener_expect(
		    options->opener, OPENER_EXE_USER, options->exe_path);
	if (!target_init(&c->base, &core_ops, options, e) ||
	    !core_load(c, options, e)) {
		core_close(&c->base);
		return false;
	}
	*out = &c->base;
	return true;
}

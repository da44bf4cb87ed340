/* SPDX-License-Identifier: MIT */
/*
 * An image's life: mapped or taken from memory, reference counted, freed. The
 * file is mapped read-only with MADV_RANDOM: most questions touch a few pages
 * of it, and read-ahead around each of them would read megabytes from a cold
 * disk. Who is about to read a whole range says so (image_will_read).
 */
#include "base/text.h"
#include "image/internal.h"
#include "image/stream.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct image *
image_new(const char *path, bt_error_t *e)
{
	struct image *image = calloc(1, sizeof(*image));

	if (image == NULL || (image->path = strdup(path)) == NULL) {
		free(image);
		bt_fail(e, BT_E_NOMEM, "no memory for an image");
		return NULL;
	}
	image->refs = 1;
	return image;
}

/* "PATH: " before an error's text, with the path made harmless. */
static bool
fail_with_path(const char *path, bt_error_t *e)
{
	char shown[128];

	return bt_wrap(e, "%s", text_escape_into(shown, sizeof(shown), path));
}

static bool
map_file(struct image *image, int fd, bt_error_t *e)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) != 0)
		return bt_fail_os(e, errno, "cannot stat");
	if (!S_ISREG(st.st_mode))
		return bt_fail(e, BT_E_FORMAT, "not a regular file");
	if (st.st_size <= 0)
		return bt_fail_format(e, 0, "empty file");
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return bt_fail_os(e, errno, "cannot map");
	(void)madvise(p, (size_t)st.st_size, MADV_RANDOM);
	image->file = view_of(p, (size_t)st.st_size);
	image->mapped = true;
	return true;
}

bool
image_open_fd(int fd, const char *path, struct image **out, bt_error_t *e)
{
	struct image *image = image_new(path, e);

	*out = NULL;
	if (image == NULL)
		return false;
	if (!map_file(image, fd, e) || !image_parse(image, e)) {
		image_unref(image);
		return fail_with_path(path, e);
	}
	*out = image;
	return true;
}

bool
image_open(struct opener *o, enum opener_kind kind, const char *path,
    struct image **out, bt_error_t *e)
{
	int fd = opener_open(o, kind, path, e);
	bool ok;

	*out = NULL;
	if (fd < 0)
		return false;
	ok = image_open_fd(fd, path, out, e);
	close(fd);
	return ok;
}

bool
image_from_memory(void *bytes, size_t size, const char *name,
    struct image **out, bt_error_t *e)
{
	struct image *image = image_new(name, e);

	*out = NULL;
	if (image == NULL) {
		free(bytes);
		return false;
	}
	image->file = view_of(bytes, size);
	if (!image_parse(image, e)) {
		image_unref(image);
		return fail_with_path(name, e);
	}
	*out = image;
	return true;
}

struct image *
image_ref(struct image *image)
{
	image->refs++;
	return image;
}

static void
free_section_cache(struct image *image)
{
	for (size_t i = 0; image->cache != NULL && i < image->nsections; i++) {
		stream_free(image->cache[i].stream);
		free(image->cache[i].error);
	}
	free(image->cache);
	while (image->joined != NULL) {
		struct joined *next = image->joined->next;

		free(image->joined);
		image->joined = next;
	}
}

void
image_unref(struct image *image)
{
	if (image == NULL || --image->refs > 0)
		return;
	prefetch_leave(image);
	image_unref(image->mini);
	symtab_deinit(&image->symtab);
	symtab_deinit(&image->dynsym);
	if (image->names_ready) {
		strings_deinit(&image->names);
		arena_deinit(&image->text);
	}
	free_section_cache(image);
	free(image->sections);
	free(image->segments);
	if (image->mapped)
		munmap((void *)(uintptr_t)image->file.data, image->file.size);
	else
		free((void *)(uintptr_t)image->file.data);
	free(image->path);
	free(image);
}

void
image_will_read(const struct image *image, struct view part)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)part.data & ~(page - 1);

	if (!image->mapped || part.size < 16 * page ||
	    part.data < image->file.data ||
	    part.data >= image->file.data + image->file.size)
		return;
	(void)madvise((void *)start, (uintptr_t)part.data + part.size - start,
	    MADV_WILLNEED);
}

void
image_was_read(const struct image *image, struct view part)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = ((uintptr_t)part.data + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)part.data + part.size) & ~(page - 1);

	/* Of a mapped file only: it is read again when it is needed. */
	if (image->mapped && part.size >= 16 * page &&
	    part.data >= image->file.data &&
	    part.data < image->file.data + image->file.size)
		(void)madvise((void *)start, end - start, MADV_DONTNEED);
}

const char *
image_path(const struct image *image)
{
	return image->path;
}

uint16_t
image_elf_type(const struct image *image)
{
	return image->type;
}

uint16_t
image_machine(const struct image *image)
{
	return image->machine;
}

uint64_t
image_entry(const struct image *image)
{
	return image->entry;
}

bool
image_has_segments(const struct image *image)
{
	return image->nsegments > 0;
}

size_t
image_segments(const struct image *image, const struct image_segment **out)
{
	*out = image->segments;
	return image->nsegments;
}

size_t
image_sections(const struct image *image, const struct image_section **out)
{
	*out = image->sections;
	return image->nsections;
}

void
image_set_dynamic_bias(struct image *image, uint64_t bias)
{
	image->bias = bias;
	image->dynamic_tried = false;
}

size_t
image_read_vaddr(
    const struct image *image, uint64_t vaddr, size_t size, const uint8_t **out)
{
	*out = NULL;
	/* The segments of a debug file describe the file it was split from. */
	if (image->debug_only)
		return 0;
	for (size_t i = 0; i < image->nsegments; i++) {
		const struct image_segment *s = &image->segments[i];
		uint64_t at = vaddr - s->vaddr, left;
		struct view v;

		if (s->type != PT_LOAD || vaddr < s->vaddr || at >= s->filesz ||
		    at > UINT64_MAX - s->offset)
			continue;
		v = view_from(&image->file, s->offset + at);
		left = s->filesz - at;
		if (!view_ok(&v) || v.size == 0)
			continue;
		if (left > v.size)
			left = v.size;
		*out = v.data;
		return left < size ? (size_t)left : size;
	}
	return 0;
}

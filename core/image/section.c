/* SPDX-License-Identifier: MIT */
/*
 * Section bytes. Compressed sections come in two forms: SHF_COMPRESSED with an
 * Elf64_Chdr (gABI), and the older GNU ".zdebug_NAME" that begins with "ZLIB"
 * and the size as eight big-endian bytes. Each is inflated once, when and as
 * far as it is used (stream.c).
 */
#include "image/internal.h"
#include "image/stream.h"
#include <stdlib.h>

#define ZDEBUG_HEADER 12

const struct image_section *
image_section_find(const struct image *image, const char *name)
{
	const struct image_section *old = NULL;

	for (size_t i = 0; i < image->nsections; i++) {
		const struct image_section *s = &image->sections[i];

		if (strcmp(s->name, name) == 0)
			return s;
		if (old == NULL && strncmp(s->name, ".zdebug_", 8) == 0 &&
		    name[0] == '.' && strcmp(s->name + 2, name + 1) == 0)
			old = s;
	}
	return old;
}

const struct image_section *
section_of_type(const struct image *image, uint32_t type)
{
	for (size_t i = 0; i < image->nsections; i++)
		if (image->sections[i].type == type &&
		    image->sections[i].size > 0)
			return &image->sections[i];
	return NULL;
}

bool
section_raw(const struct image *image, const struct image_section *s,
    struct view *out, bt_error_t *e)
{
	*out = view_of(NULL, 0);
	if (s->type == SHT_NOBITS || s->type == SHT_NULL)
		return bt_fail(e, BT_E_NOTFOUND, "section without bytes");
	*out = view_sub(&image->file, s->offset, s->size);
	if (view_ok(out))
		return true;
	*out = view_of(NULL, 0);
	return bt_fail_format(
	    e, s->offset, "section reaches past the end of the file");
}

static bool
read_chdr(struct view raw, struct packed *p, bt_error_t *e)
{
	p->type = view_u32(&raw);
	view_skip(&raw, sizeof(uint32_t)); /* ch_reserved */
	p->size = view_u64(&raw);
	view_skip(&raw, sizeof(uint64_t)); /* ch_addralign */
	p->data = view_from(&raw, raw.pos);
	if (!view_ok(&raw))
		return bt_fail_format(e, 0, "compression header cut off");
	return true;
}

static bool
read_zdebug(struct view raw, struct packed *p, bt_error_t *e)
{
	const uint8_t *magic = view_bytes(&raw, 4);

	p->type = ELFCOMPRESS_ZLIB;
	p->size = __builtin_bswap64(view_u64(&raw));
	p->data = view_from(&raw, raw.pos);
	if (!view_ok(&raw) || memcmp(magic, "ZLIB", 4) != 0)
		return bt_fail_format(e, 0, "no ZLIB header in .zdebug");
	return true;
}

bool
section_is_packed(const struct image_section *s)
{
	return (s->flags & SHF_COMPRESSED) != 0 ||
	    strncmp(s->name, ".zdebug_", 8) == 0;
}

bool
section_packed(const struct image_section *s, struct view raw,
    struct packed *out, bt_error_t *e)
{
	return (s->flags & SHF_COMPRESSED) != 0 ? read_chdr(raw, out, e)
						: read_zdebug(raw, out, e);
}

static bool
cache_failure(struct section_cache *c, const bt_error_t *why, bt_error_t *e)
{
	c->error = malloc(sizeof(*c->error));
	if (c->error != NULL)
		*c->error = *why;
	if (e != NULL)
		*e = *why;
	return false;
}

bool
section_stream(struct image *image, const struct image_section *s,
    struct stream **out, bt_error_t *e)
{
	struct section_cache *c;
	struct packed packed;
	bt_error_t why = {0};
	struct view raw;

	*out = NULL;
	if (!section_raw(image, s, &raw, e))
		return false;
	if (image->cache == NULL)
		image->cache = calloc(image->nsections, sizeof(*c));
	if (image->cache == NULL)
		return bt_fail(e, BT_E_NOMEM, "no memory for a section");
	c = &image->cache[s - image->sections];
	if (c->error != NULL) {
		if (e != NULL)
			*e = *c->error;
		return false;
	}
	if (c->stream == NULL) {
		if (!section_packed(s, raw, &packed, &why) ||
		    (c->stream = stream_new(image, &packed, &why)) == NULL)
			return cache_failure(c, &why, e);
	}
	*out = c->stream;
	return true;
}

bool
section_bytes(struct image *image, const struct image_section *s,
    struct view *out, bt_error_t *e)
{
	struct stream *stream;

	if (!section_is_packed(s))
		return section_raw(image, s, out, e);
	if (section_stream(image, s, &stream, e) &&
	    stream_reach(stream, UINT64_MAX, out, e))
		return true;
	*out = view_of(NULL, 0);
	return false;
}

/* Two passes over the sections of a name: their size, then their bytes. A
 * damaged one is left out. */
static struct joined *
join(struct image *image, const char *name)
{
	struct joined *all = NULL;
	size_t total = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < image->nsections; i++) {
			const struct image_section *s = &image->sections[i];
			struct view v;

			if (strcmp(s->name, name) != 0 ||
			    !section_bytes(image, s, &v, NULL) ||
			    v.size > IMAGE_MAX_SECTION - total)
				continue;
			if (pass == 0) {
				total += v.size;
			} else if (v.size > 0 && v.size <= total - all->size) {
				memcpy(all->bytes + all->size, v.data, v.size);
				all->size += v.size;
			}
		}
		if (pass == 0 && (all = malloc(sizeof(*all) + total)) == NULL)
			return NULL;
		all->size = pass == 0 ? 0 : all->size;
	}
	all->name = name;
	return all;
}

/* True when it was one of several: *out is all of them. */
static bool
joined_view(
    struct image *image, const struct image_section *first, struct view *out)
{
	const struct image_section *end = image->sections + image->nsections;
	const struct image_section *s = first;
	struct joined *j;

	for (j = image->joined; j != NULL; j = j->next) {
		if (strcmp(j->name, first->name) == 0)
			break;
	}
	while (j == NULL && ++s < end) {
		if (strcmp(s->name, first->name) != 0)
			continue;
		j = join(image, first->name);
		if (j == NULL)
			return false;
		j->next = image->joined;
		image->joined = j;
	}
	if (j == NULL)
		return false;
	*out = view_of(j->bytes, j->size);
	return true;
}

bool
image_section_view(
    struct image *image, const char *name, struct view *out, bt_error_t *e)
{
	const struct image_section *s = image_section_find(image, name);

	*out = view_of(NULL, 0);
	if (s == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "no section %s", name);
	if (image->type == ET_REL && joined_view(image, s, out))
		return true;
	return section_bytes(image, s, out, e) || bt_wrap(e, "%s", name);
}

bool
image_section_open(struct image *image, const char *name,
    struct image_bytes *out, bt_error_t *e)
{
	const struct image_section *s = image_section_find(image, name);

	*out = (struct image_bytes){.view = view_of(NULL, 0)};
	if (s == NULL || image->type == ET_REL || !section_is_packed(s)) {
		if (!image_section_view(image, name, &out->view, e))
			return false;
		out->size = out->view.size;
		return true;
	}
	if (!section_stream(image, s, &out->stream, e))
		return bt_wrap(e, "%s", name);
	out->size = stream_size(out->stream);
	return true;
}

bool
image_section_reach(struct image_bytes *b, uint64_t to, bt_error_t *e)
{
	if (b->stream != NULL)
		return stream_reach(b->stream, to, &b->view, e);
	return true;
}

void
image_section_sparse(struct image_bytes *b)
{
	if (b->stream == NULL)
		return;
	stream_sparse(b->stream);
	b->sparse = true;
}

bool
image_section_range(
    struct image_bytes *b, uint64_t from, uint64_t to, bt_error_t *e)
{
	if (b->stream != NULL)
		return stream_range(b->stream, from, to, &b->view, e);
	return true;
}

void
image_section_forget(struct image_bytes *b, uint64_t from, uint64_t to)
{
	if (b->stream != NULL)
		stream_forget(b->stream, from, to);
}

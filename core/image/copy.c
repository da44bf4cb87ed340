/* SPDX-License-Identifier: MIT */
/*
 * Writing a copy, and using one. The copy is the file itself with holes where
 * the compressed sections were, then the inflated sections, then a new table of
 * section headers; the ELF header leads to that.
 */
#include "image/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/write.h"
#include "image/inflate.h"
#include "image/internal.h"
#include "image/stream.h"

enum {
	/* Of compressed bytes: what inflates in a millisecond. */
	PAYS_BYTES = 96 << 10,
	PACKED_MAX = 256,
	ALIGN_MAX = 4096,
	TABLE_ALIGN = 16,
	STEP = 4 << 20 /* of a large section, at one time */
};

/* A compressed section. */
struct part {
	const struct image_section *section;
	struct packed packed;
	uint64_t align;
	uint64_t at; /* in the copy */
};

struct copy {
	struct image *image;
	int fd;
	Elf64_Ehdr header;
	struct part parts[PACKED_MAX]; /* by their place in the file */
	size_t n_parts;
	uint64_t table; /* of section headers, in the copy */
};

/* Debug information, in the one form whose name stays the same. */
static bool
is_packed(const struct image_section *s)
{
	return (s->flags & SHF_COMPRESSED) != 0 &&
	    (s->flags & SHF_ALLOC) == 0 && s->type == SHT_PROGBITS;
}

bool
image_copy_pays(const struct image *image)
{
	uint64_t bytes = 0;

	if (image->type != ET_DYN && image->type != ET_EXEC)
		return false;
	for (size_t i = 0; i < image->nsections; i++) {
		const struct image_section *s = &image->sections[i];

		if (is_packed(s) && s->size < image->file.size)
			bytes += s->size;
	}
	return bytes >= PAYS_BYTES;
}

/* ---- what goes where ---- */

static bool
overlap(const struct image_section *s, uint64_t offset, uint64_t size)
{
	return size > 0 && offset < s->offset + s->size &&
	    (offset >= s->offset || size > s->offset - offset);
}

/* Are the section's bytes nobody else's? It lies within the file. */
static bool
is_alone(const struct copy *c, const struct image_section *s)
{
	const struct image *image = c->image;
	const Elf64_Ehdr *h = &c->header;

	if (overlap(s, 0, sizeof(*h)) ||
	    overlap(s, h->e_phoff, (uint64_t)h->e_phnum * h->e_phentsize) ||
	    overlap(s, h->e_shoff, image->nsections * h->e_shentsize))
		return false;
	for (size_t i = 0; i < image->nsections; i++) {
		const struct image_section *other = &image->sections[i];

		if (other != s && other->type != SHT_NOBITS &&
		    other->type != SHT_NULL &&
		    overlap(s, other->offset, other->size))
			return false;
	}
	/* Those of a debug file describe the file it was split from. */
	for (size_t i = 0; i < image->nsegments && !image->debug_only; i++) {
		const struct image_segment *other = &image->segments[i];

		if (overlap(s, other->offset, other->filesz))
			return false;
	}
	return true;
}

static bool
add_part(struct copy *c, const struct image_section *s, bt_error_t *e)
{
	struct part *p = &c->parts[c->n_parts];
	struct view raw, align;

	if (c->n_parts == PACKED_MAX)
		return bt_fail(e, BT_E_LIMIT, "too many compressed sections");
	if (!section_raw(c->image, s, &raw, e) ||
	    !section_packed(s, raw, &p->packed, e))
		return false;
	if (!is_alone(c, s))
		return bt_fail_format(e, s->offset,
		    "a compressed section shares bytes with something else");
	align = view_from(&raw, offsetof(Elf64_Chdr, ch_addralign));
	p->align = view_u64(&align);
	p->section = s;
	c->n_parts++;
	return true;
}

static uint64_t
align_up(uint64_t at, uint64_t to)
{
	return (at + to - 1) / to * to;
}

/* Inflated sections follow the file, the table follows them. */
static bool
lay_out(struct copy *c, uint64_t most, bt_error_t *e)
{
	uint64_t at = c->image->file.size;

	for (size_t i = 0; i < c->n_parts; i++) {
		struct part *p = &c->parts[i];
		bool odd = p->align == 0 || p->align > ALIGN_MAX ||
		    (p->align & (p->align - 1)) != 0;

		at = align_up(at, odd ? 1 : p->align);
		p->at = at;
		if (p->packed.size > IMAGE_MAX_SECTION)
			return bt_fail(e, BT_E_LIMIT,
			    "section claims to inflate to %llu bytes",
			    (unsigned long long)p->packed.size);
		at += p->packed.size;
	}
	c->table = align_up(at, TABLE_ALIGN);
	at = c->table + c->image->nsections * sizeof(Elf64_Shdr);
	return at <= most ||
	    bt_fail(e, BT_E_LIMIT,
		"a copy takes %llu bytes, and %llu are to be had",
		(unsigned long long)at, (unsigned long long)most);
}

static int
by_place(const void *a, const void *b)
{
	uint64_t x = ((const struct part *)a)->section->offset;
	uint64_t y = ((const struct part *)b)->section->offset;

	return x < y ? -1 : x > y;
}

static bool
plan(struct copy *c, uint64_t most, bt_error_t *e)
{
	const struct image *image = c->image;
	struct view v = image->file, zero;
	uint64_t count;

	const uint8_t *bytes = view_bytes(&v, sizeof(c->header));

	if (bytes != NULL)
		memcpy(&c->header, bytes, sizeof(c->header));
	zero = view_from(
	    &image->file, c->header.e_shoff + offsetof(Elf64_Shdr, sh_size));
	count = c->header.e_shnum != 0 ? c->header.e_shnum : view_u64(&zero);
	if (!view_ok(&v) || c->header.e_shentsize != sizeof(Elf64_Shdr) ||
	    count != image->nsections)
		return bt_fail_format(e, 0, "its table of sections is damaged");
	for (size_t i = 0; i < image->nsections; i++) {
		const struct image_section *s = &image->sections[i];

		if (is_packed(s) && !add_part(c, s, e))
			return false;
	}
	if (c->n_parts > 1)
		qsort(c->parts, c->n_parts, sizeof(*c->parts), by_place);
	return lay_out(c, most, e);
}

/* ---- writing ---- */

static bool
put(struct copy *c, uint64_t at, const void *data, size_t size, bt_error_t *e)
{
	return (lseek(c->fd, (off_t)at, SEEK_SET) >= 0 &&
		   write_all(c->fd, data, size)) ||
	    bt_fail_os(e, errno, "cannot write a copy");
}

static bool
put_rest(struct copy *c, bt_error_t *e)
{
	const struct view *file = &c->image->file;
	Elf64_Ehdr header = c->header;
	uint64_t at = sizeof(header);

	header.e_shoff = c->table;
	if (!put(c, 0, &header, sizeof(header), e))
		return false;
	for (size_t i = 0; i <= c->n_parts; i++) {
		const struct image_section *s =
		    i < c->n_parts ? c->parts[i].section : NULL;
		uint64_t end = s != NULL ? s->offset : file->size;

		if (end > at &&
		    !put(c, at, file->data + at, (size_t)(end - at), e))
			return false;
		at = s != NULL ? s->offset + s->size : at;
	}
	return true;
}

/* A large section goes through memory in steps, a small one at once. */
static bool
put_part(struct copy *c, const struct part *p, bt_error_t *e)
{
	uint64_t size = p->packed.size;
	uint32_t adler = 1;
	struct stream *s;
	struct view v;

	if (!section_stream(c->image, p->section, &s, e))
		return false;
	stream_sparse(s);
	for (uint64_t from = 0, to; from < size || from == 0; from = to) {
		to = size - from > STEP ? from + STEP : size;
		if (!stream_range(s, from, to, &v, e) || v.size < to)
			return bt_fail_format(
			    e, p->section->offset, "damaged compressed data");
		adler = adler32_on(adler, v.data + from, to - from);
		if (!put(c, p->at + from, v.data + from, to - from, e))
			return false;
		stream_forget(s, from, to);
		if (to == size)
			break;
	}
	return stream_sound(s, adler) ||
	    bt_fail_format(e, p->section->offset, "wrong checksum");
}

static const struct part *
part_of(const struct copy *c, const struct image_section *s)
{
	for (size_t i = 0; i < c->n_parts; i++)
		if (c->parts[i].section == s)
			return &c->parts[i];
	return NULL;
}

static bool
put_table(struct copy *c, bt_error_t *e)
{
	struct view v = view_from(&c->image->file, c->header.e_shoff);
	size_t n = c->image->nsections;
	Elf64_Shdr *table = calloc(n, sizeof(*table));
	bool done;

	if (table == NULL)
		return bt_fail(e, BT_E_NOMEM, "no memory for sections");
	for (size_t i = 0; i < n; i++) {
		const struct part *p = part_of(c, &c->image->sections[i]);

		const uint8_t *bytes = view_bytes(&v, sizeof(table[i]));

		if (bytes != NULL)
			memcpy(&table[i], bytes, sizeof(table[i]));
		if (p == NULL)
			continue;
		table[i].sh_flags &= ~(uint64_t)SHF_COMPRESSED;
		table[i].sh_offset = p->at;
		table[i].sh_size = p->packed.size;
		table[i].sh_addralign = p->align;
	}
	done = put(c, c->table, table, n * sizeof(*table), e);
	free(table);
	return done;
}

bool
image_copy_write(struct image *image, int fd, uint64_t most, bt_error_t *e)
{
	struct copy *c = calloc(1, sizeof(*c));
	bool done;

	if (c == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	c->image = image;
	c->fd = fd;
	done = plan(c, most, e) && put_rest(c, e);
	for (size_t i = 0; done && i < c->n_parts; i++)
		done = put_part(c, &c->parts[i], e);
	done = done && put_table(c, e);
	free(c);
	return done;
}

/* ---- using ---- */

/* Files that have a path which leads to them for others, too. */
static bool
is_kept(enum opener_kind kind)
{
	return kind == OPENER_DEBUG || kind == OPENER_MODULE ||
	    kind == OPENER_EXE_USER;
}

/* An entry of a cache, which may be damaged. */
static bool
is_copy_of(struct image *image, struct image *copy)
{
	const struct image_build_id *id = image_build_id(image);
	const struct image_build_id *other = image_build_id(copy);

	return id != NULL && other != NULL && image_build_id_equal(id, other) &&
	    image->type == copy->type && image->machine == copy->machine &&
	    image->nsections == copy->nsections &&
	    image->debug_only == copy->debug_only && !image_copy_pays(copy);
}

/* What is needed of a file that inflates is read as a whole; of a copy it is a
 * page here and there, and its neighbours soon after. From a cold disk: 62 ms
 * instead of 97 for the stacks of Chromium. */
static void
read_around(const struct image *copy)
{
	(void)madvise(
	    (void *)(uintptr_t)copy->file.data, copy->file.size, MADV_NORMAL);
}

void
image_prefer_copy(struct opener *o, enum opener_kind kind, struct image **image)
{
	char hex[2 * IMAGE_BUILD_ID_MAX + 1];
	const struct image_build_id *id;
	struct image *copy;
	bt_error_t e;
	int fd;

	if (o->inflated == NULL || !is_kept(kind) || !image_copy_pays(*image))
		return;
	id = image_build_id(*image);
	if (id == NULL)
		return;
	(void)image_build_id_hex(id, hex);
	fd = o->inflated(o, kind, image_path(*image), hex);
	if (fd < 0)
		return;
	if (image_open_fd(fd, image_path(*image), &copy, &e)) {
		if (is_copy_of(*image, copy)) {
			read_around(copy);
			image_unref(*image);
			*image = copy;
			(void)close(fd);
			return;
		}
		image_unref(copy);
	}
	(void)close(fd);
	o->spoilt(o, kind, image_path(*image), hex);
}

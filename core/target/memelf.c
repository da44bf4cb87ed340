/* SPDX-License-Identifier: MIT */
/*
 * ELF files as they lie in the target's memory. The kernel dumps the first
 * page of every mapped ELF file (coredump_filter bit 4), which has the
 * program headers and the build-id: enough to know where a module was loaded
 * and which file it was, without looking at any file of this machine.
 */
#include <elf.h>

#include "target/target_private.h"

static const uint64_t page_size = 4096;
static const uint64_t module_size_max = UINT64_C(1) << 46;
static const size_t notes_max = 65536;

static uint64_t
page_floor(uint64_t x)
{
	return x & ~(page_size - 1);
}

static uint64_t
page_ceil(uint64_t x)
{
	return page_floor(x + page_size - 1);
}

static bool
segment_sane(const struct image_segment *s)
{
	return s->memsz <= module_size_max && s->filesz <= s->memsz &&
	    s->vaddr <= UINT64_MAX - s->memsz - page_size;
}

enum { PHDR_SIZE = 56, PHDR_SIZE_32 = 32 };

/* Numbers as the target's machine has them. */
static uint32_t
number(const struct arch *a, struct view *v, size_t size)
{
	uint64_t x = view_uint(v, size);

	return (uint32_t)(a->big_endian
		? __builtin_bswap64(x) >> (64 - 8 * size)
		: x);
}

static uint64_t
word(const struct arch *a, struct view *v)
{
	uint64_t x;

	if (a->narrow)
		return number(a, v, 4);
	x = view_u64(v);
	return a->big_endian ? __builtin_bswap64(x) : x;
}

static unsigned
phdr_size(const struct arch *a)
{
	return a->narrow ? PHDR_SIZE_32 : PHDR_SIZE;
}

static void
parse_foreign_phdr(
    const struct arch *a, struct view *v, struct image_segment *s)
{
	s->type = number(a, v, 4);
	if (!a->narrow)
		s->flags = number(a, v, 4);
	s->offset = word(a, v);
	s->vaddr = word(a, v);
	(void)word(a, v);
	s->filesz = word(a, v);
	s->memsz = word(a, v);
	if (a->narrow)
		s->flags = number(a, v, 4);
	s->align = word(a, v);
}

/* Each library has some, and is looked at several times. */
static void
parse_phdr(struct view *v, struct image_segment *s)
{
	s->type = view_u32(v);
	s->flags = view_u32(v);
	s->offset = view_u64(v);
	s->vaddr = view_u64(v);
	view_skip(v, 8);
	s->filesz = view_u64(v);
	s->memsz = view_u64(v);
	s->align = view_u64(v);
}

static size_t
parse_phdrs(
    const struct arch *a, struct view v, unsigned count, struct memelf *out)
{
	for (unsigned i = 0; i < count; i++) {
		struct image_segment s;

		if (a->narrow || a->big_endian)
			parse_foreign_phdr(a, &v, &s);
		else
			parse_phdr(&v, &s);
		if (!view_ok(&v))
			break;
		if (s.type == PT_NULL || !segment_sane(&s))
			continue;
		out->has_interp = out->has_interp || s.type == PT_INTERP;
		out->segments[out->n_segments++] = s;
	}
	return out->n_segments;
}

static bool
read_phdrs(
    struct target *t, bt_addr_t address, uint64_t count, struct memelf *out)
{
	uint8_t bytes[MEMELF_SEGMENTS_MAX * PHDR_SIZE];
	size_t want;

	if (count > MEMELF_SEGMENTS_MAX)
		count = MEMELF_SEGMENTS_MAX;
	want = (size_t)count * phdr_size(t->arch);
	if (count == 0 || target_read_own(t, address, bytes, want) != want)
		return false;
	return parse_phdrs(
		   t->arch, view_of(bytes, want), (unsigned)count, out) != 0;
}

static void
read_build_id(
    struct target *t, const struct image_segment *s, struct memelf *out)
{
	uint8_t stack[1024], *bytes = stack;
	size_t size = s->filesz > notes_max ? notes_max : (size_t)s->filesz;

	if (size > sizeof(stack) && (bytes = malloc(size)) == NULL)
		return;
	size = target_read_own(t, s->vaddr + out->bias, bytes, size);
	(void)image_build_id_from_notes(
	    view_of(bytes, size), s->align, &out->build_id);
	if (bytes != stack)
		free(bytes);
}

/* What follows once the bias is known. */
static bool
place(struct target *t, struct memelf *out)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (unsigned i = 0; i < out->n_segments; i++) {
		const struct image_segment *s = &out->segments[i];

		if (s->type == PT_LOAD && s->memsz != 0) {
			if (page_floor(s->vaddr) < low)
				low = page_floor(s->vaddr);
			if (page_ceil(s->vaddr + s->memsz) > high)
				high = page_ceil(s->vaddr + s->memsz);
		} else if (s->type == PT_DYNAMIC) {
			out->dynamic = s->vaddr + out->bias;
			out->dynamic_size = s->memsz;
		} else if (s->type == PT_NOTE && out->build_id.size == 0) {
			read_build_id(t, s, out);
		}
	}
	if (low >= high || high - low > module_size_max)
		return false;
	out->start = low + out->bias;
	out->end = high + out->bias;
	return out->start < out->end;
}

bool
memelf_read(struct target *t, bt_addr_t base, struct memelf *out, bool *absent)
{
	enum { EHDR_SIZE = 64, EHDR_SIZE_32 = 52 };
	const struct arch *a = t->arch;
	uint8_t magic[] = {0x7f, 'E', 'L', 'F',
	    a->narrow ? ELFCLASS32 : ELFCLASS64,
	    a->big_endian ? ELFDATA2MSB : ELFDATA2LSB};
	uint8_t bytes[EHDR_SIZE];
	size_t size = a->narrow ? EHDR_SIZE_32 : EHDR_SIZE;
	struct view v = view_of(bytes, size);
	uint64_t phoff;
	uint16_t machine;

	memset(out, 0, sizeof(*out));
	*absent = target_read_own(t, base, bytes, size) != size;
	if (*absent || memcmp(bytes, magic, sizeof(magic)) != 0)
		return false;
	view_seek(&v, 16);
	out->type = (uint16_t)number(a, &v, 2);
	machine = (uint16_t)number(a, &v, 2);
	view_skip(&v, 4);
	out->entry = word(a, &v);
	phoff = word(a, &v);
	view_seek(&v, size - 10); /* e_phentsize, e_phnum */
	if ((machine != a->machine && a->machine != 0) ||
	    number(a, &v, 2) != phdr_size(a) ||
	    (out->type != ET_DYN && out->type != ET_EXEC) ||
	    phoff > module_size_max ||
	    !read_phdrs(t, base + phoff, number(a, &v, 2), out))
		return false;
	for (unsigned i = 0; i < out->n_segments; i++) {
		const struct image_segment *s = &out->segments[i];

		if (s->type == PT_LOAD && s->offset < page_size) {
			out->bias = base - (s->vaddr - s->offset);
			return place(t, out);
		}
	}
	return false;
}

bool
memelf_from_phdrs(
    struct target *t, bt_addr_t phdr, uint64_t count, struct memelf *out)
{
	memset(out, 0, sizeof(*out));
	if (!read_phdrs(t, phdr, count, out))
		return false;
	out->type = ET_EXEC;
	for (unsigned i = 0; i < out->n_segments; i++) {
		if (out->segments[i].type == PT_PHDR) {
			out->bias = phdr - out->segments[i].vaddr;
			out->type = out->bias != 0 ? ET_DYN : ET_EXEC;
		}
	}
	return place(t, out) && phdr >= out->start && phdr < out->end;
}

bool
memelf_perms(const struct image_segment *segments, size_t n, uint64_t bias,
    bt_addr_t address, uint32_t *perms)
{
	uint64_t vaddr = address - bias;

	for (size_t i = 0; i < n; i++) {
		const struct image_segment *s = &segments[i];

		if (s->type == PT_LOAD && vaddr >= page_floor(s->vaddr) &&
		    vaddr - page_floor(s->vaddr) <
			page_ceil((s->vaddr & (page_size - 1)) + s->memsz)) {
			*perms = s->flags & (TARGET_R | TARGET_W | TARGET_X);
			return true;
		}
	}
	return false;
}

/* A read-only segment without zeroed tail shows the file up to the end of its
 * last page: that is where the vdso keeps its section headers. */
static uint64_t
file_size_of(struct target *t, const struct image_segment *s, uint64_t bias)
{
	uint64_t tail = page_ceil(s->vaddr + s->filesz) -
	    (s->vaddr + s->filesz);
	uint8_t byte;

	if (tail == 0 || (s->flags & PF_W) != 0 || s->memsz != s->filesz ||
	    target_read_own(
		t, s->vaddr + bias + s->filesz + tail - 1, &byte, 1) != 1)
		return s->filesz;
	return s->filesz + tail;
}

bool
memelf_to_file(
    struct target *t, const struct memelf *m, uint8_t **out, size_t *size)
{
	const uint64_t size_max = UINT64_C(1) << 26;
	uint64_t total = 0;
	uint8_t *bytes;

	for (unsigned i = 0; i < m->n_segments; i++) {
		const struct image_segment *s = &m->segments[i];
		uint64_t part;

		if (s->type != PT_LOAD)
			continue;
		part = file_size_of(t, s, m->bias);
		if (s->offset > size_max || part > size_max - s->offset)
			return false;
		if (s->offset + part > total)
			total = s->offset + part;
	}
	if (total < 64 || (bytes = calloc(1, (size_t)total)) == NULL)
		return false;
	for (unsigned i = 0; i < m->n_segments; i++) {
		const struct image_segment *s = &m->segments[i];
		uint64_t part;

		if (s->type != PT_LOAD)
			continue;
		part = file_size_of(t, s, m->bias);
		if (target_read_own(t, s->vaddr + m->bias, bytes + s->offset,
			(size_t)part) != part) {
			free(bytes);
			return false;
		}
	}
	*out = bytes;
	*size = (size_t)total;
	return true;
}

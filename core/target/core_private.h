/* SPDX-License-Identifier: MIT */
/*
 * A core file being read: the whole file is mapped, and everything in it is
 * read through views of that mapping.
 */
#ifndef TARGET_CORE_PRIVATE_H
#define TARGET_CORE_PRIVATE_H

#include <elf.h>

#include "target/target_private.h"

/* Bytes of the target that the core holds. Sorted, disjoint. */
struct core_range {
	bt_addr_t start;
	uint64_t size;
	uint64_t offset; /* in the file */
	uint64_t index;	 /* order in the program header table */
};
typedef VEC(struct core_range) core_range_vec;

struct core_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz, align;
};

struct core {
	struct target base;
	const char *path; /* printable */
	void *map;
	size_t size;
	struct view file;
	struct view table; /* program headers */
	uint64_t n_phdrs;
	bool narrow, big_endian; /* ELFCLASS32, ELFDATA2MSB */
	core_range_vec ranges;
	size_t last;		       /* the range used last */
	bool inflated;		       /* map is no file's */
	size_t streamed, streamed_end; /* bytes of the file: core_stream */

	/* State of the note reader. */
	bool have_psinfo, psinfo_first, have_files, have_auxv;
	int first_cursig; /* pr_cursig of the first thread */
	uint64_t notes, notes_bad, threads_short, files_bad;
	size_t auxv_notes;
	bool have_layout; /* of extended states */
	struct arch_xstate_layout layout;
};

/* Numbers of the file, in its own byte order; a word is as wide as its
 * addresses. */
static inline uint16_t
core_u16(const struct core *c, struct view *v)
{
	uint16_t x = view_u16(v);

	return c->big_endian ? __builtin_bswap16(x) : x;
}

static inline uint32_t
core_u32(const struct core *c, struct view *v)
{
	uint32_t x = view_u32(v);

	return c->big_endian ? __builtin_bswap32(x) : x;
}

static inline uint64_t
core_word(const struct core *c, struct view *v)
{
	uint64_t x;

	if (c->narrow)
		return core_u32(c, v);
	x = view_u64(v);
	return c->big_endian ? __builtin_bswap64(x) : x;
}

static inline size_t
core_word_size(const struct core *c)
{
	return c->narrow ? 4 : 8;
}

/* core_header.c: the file header and where the program headers are. */
bool core_header(struct core *c, bt_error_t *e);
/* As class and byte order of the core have it. */
bool core_foreign_phdr_at(
    const struct core *c, uint64_t i, struct core_phdr *out);

/* Entry i of the table; false: there is none. A core may have 130,000, so those
 * of our own class and byte order are read here, with one check for each. */
static inline bool
core_phdr_at(const struct core *c, uint64_t i, struct core_phdr *out)
{
	struct view v;
	Elf64_Phdr p;

	if (c->narrow || c->big_endian)
		return core_foreign_phdr_at(c, i, out);
	if (i >= c->n_phdrs)
		return false;
	v = view_sub(&c->table, i * sizeof(p), sizeof(p));
	if (!view_ok(&v))
		return false;
	memcpy(&p, v.data, sizeof(p));
	*out = (struct core_phdr){.type = p.p_type,
	    .flags = p.p_flags,
	    .offset = p.p_offset,
	    .vaddr = p.p_vaddr,
	    .filesz = p.p_filesz,
	    .memsz = p.p_memsz,
	    .align = p.p_align};
	return true;
}

/* Its type alone, which comes first whatever the class. */
static inline uint32_t
core_phdr_type(const struct core *c, uint64_t i)
{
	size_t size = c->narrow ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
	struct view v = view_sub(&c->table, i * size, sizeof(uint32_t));

	return core_u32(c, &v);
}

/* core_inflate.c: puts the inflated core in place of a compressed one. */
bool core_inflate(struct core *c, bt_error_t *e);

/* core_segments.c: PT_LOADs become ranges of bytes and mappings. */
bool core_segments(struct core *c, bt_error_t *e);
size_t core_view(
    struct target *t, bt_addr_t address, size_t size, const uint8_t **out);
size_t core_held(struct target *t, bt_addr_t start, bt_addr_t end, size_t *at);
void core_stream(struct target *t, bt_addr_t address, size_t size);
void core_expect(struct target *t, bt_addr_t address, size_t size);
/* A part of the file will be read soon, all of it. */
void core_will_read(struct core *c, uint64_t offset, uint64_t size);

/* core_notes.c: all PT_NOTEs. core_note_desc.c: what single notes say. */
void core_notes(struct core *c);
void core_notes_finish(struct core *c);
void core_note(struct core *c, const char *name, uint32_t type,
    struct view desc, uint64_t offset);

#endif /* TARGET_CORE_PRIVATE_H */

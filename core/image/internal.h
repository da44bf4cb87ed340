/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the image itself and its lazy parts.
 *
 *	image.c		open, map, reference count, headers
 *	section.c	section bytes
 *	stream.c	inflated as far as they are used
 *	prefetch.c	or ahead of it, by threads
 *	guess.c		which also decode what comes further on
 *	sparse.c	of large sections the parts that are used
 *	deflate.c	the decoder (deflate_header.c, deflate_tokens.c)
 *	copy.c		or once, into a copy of the file
 *	note.c		build-id, debug links
 *	dynamic.c	PT_DYNAMIC and hash tables: images without sections
 *	symtab.c	finding symbol tables, names, iteration
 *	symindex.c	address -> symbol
 *	plt.c		address of a PLT stub -> name
 */
#ifndef IMAGE_INTERNAL_H
#define IMAGE_INTERNAL_H

#include "base/arena.h"
#include "base/strings.h"
#include "image/image.h"
#include <elf.h>

/* Limits on what a file may make us allocate or walk. */
#define IMAGE_MAX_SECTIONS (UINT32_C(1) << 20)
#define IMAGE_MAX_SEGMENTS 4096
#define IMAGE_MAX_SYMBOLS UINT32_C(10000000)  /* per table */
#define IMAGE_MAX_NAME 65536		      /* longest symbol name */
#define IMAGE_MAX_SECTION (UINT64_C(4) << 30) /* inflated */
#define IMAGE_MAX_MINI (UINT64_C(256) << 20)  /* .gnu_debugdata */

struct section_cache { /* one per section, made on first use */
	struct stream *stream;
	bt_error_t *error; /* why there is none */
};

/* What a compressed section says about itself. */
struct packed {
	uint32_t type; /* ELFCOMPRESS_... */
	uint64_t size; /* inflated */
	struct view data;
};

struct prefetch;
struct stream;

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

/* The sections of one name in an object file, one after the other. */
struct joined {
	struct joined *next;
	const char *name;
	size_t size;
	uint8_t bytes[];
};

struct symspan { /* [start, start + len) belongs to symbol number index */
	uint64_t start;
	uint32_t len;
	uint32_t index;
};

/* One symbol table with its strings. */
struct symtab {
	struct image *image;  /* whose section numbers st_shndx means */
	struct view syms;     /* count * entsize bytes */
	struct view strs;     /* ends with a NUL, or is empty */
	struct view versions; /* .gnu.version, may be empty */
	size_t count, entsize;
	bool dynamic;
	/* Address index, see symindex.c. */
	struct symspan *spans;
	size_t nspans;
	uint32_t scans;
	/* Name index, see symname.c. */
	uint32_t *name_heads, *name_next;
	uint64_t *name_filter; /* a bit for the beginning of each name */
	unsigned filter_shift;
	unsigned name_shift;
	uint32_t walks;
	bool indexed;
	bool read_ahead; /* the kernel has been told */
};

struct gnu_hash { /* the words of DT_GNU_HASH */
	struct view buckets, chains;
	uint32_t nbuckets, first;
};

struct dynamic { /* PT_DYNAMIC, addresses made relative to the file */
	struct view symtab, strtab, hash, gnu_hash, versym, jmprel, rela;
};

struct image {
	unsigned refs;
	char *path;
	struct view file;
	bool mapped;
	uint16_t type, machine;
	uint64_t entry;
	struct image_segment *segments;
	size_t nsegments;
	struct image_section *sections;
	size_t nsections;
	bool debug_only; /* its code sections hold no bytes */
	uint64_t bias;	 /* of addresses in PT_DYNAMIC, see image.h */
	struct section_cache *cache;
	struct joined *joined;
	struct prefetch *prefetch; /* NULL: nothing is inflated ahead */

	bool build_id_tried;
	struct image_build_id build_id;

	bool symbols_tried, mini_tried, dynamic_tried;
	struct symtab symtab, dynsym;
	struct gnu_hash gnu_hash;
	struct image *mini; /* from .gnu_debugdata */
	bool is_mini;
	struct dynamic dynamic;

	struct arena text; /* copies of names without their version */
	struct strings names;
	bool names_ready;
};

/* Reads program and section headers; damaged tables become shorter or empty.
 * False only for what is no ELF file of a machine that is read. (header.c) */
bool image_parse(struct image *image, bt_error_t *e) BT_CHECK;

/* A section's bytes as they are in the file. */
bool section_raw(const struct image *image, const struct image_section *s,
    struct view *out, bt_error_t *e) BT_CHECK;
bool section_bytes(struct image *image, const struct image_section *s,
    struct view *out, bt_error_t *e) BT_CHECK;
bool section_is_packed(const struct image_section *s);
bool section_packed(const struct image_section *s, struct view raw,
    struct packed *out, bt_error_t *e) BT_CHECK;
/* Of a compressed section. */
bool section_stream(struct image *image, const struct image_section *s,
    struct stream **out, bt_error_t *e) BT_CHECK;

/* prefetch.c: before the image ends. */
void prefetch_leave(struct image *image);
/* Inflates one step of what is to be inflated ahead, while another thread is at
 * what the caller needs; false when there is nothing. p may be NULL. */
bool prefetch_help(struct prefetch *p, const struct stream *awaited);
/* A reader went on: blocks further on may be guessed now. p may be NULL. */
void prefetch_again(struct prefetch *p);

/* First section of a type that has bytes, or NULL. */
const struct image_section *section_of_type(
    const struct image *image, uint32_t type);

const struct dynamic *image_dynamic(struct image *image);
bool gnu_hash_open(struct view bytes, struct gnu_hash *out);
/* 1 + the highest symbol number in the chains. */
size_t gnu_hash_count(const struct gnu_hash *h);
/* The first symbol number of the chain for name's hash, 0 when none; *more
 * walks on (start with 0). */
uint32_t gnu_hash_next(const struct gnu_hash *h, uint32_t hash, uint32_t after);
uint32_t gnu_hash_of(const char *name);

/* Finds .symtab and .dynsym once. */
void image_load_symbols(struct image *image);
/* The image inside .gnu_debugdata, or NULL. */
struct image *image_mini(struct image *image);
bool symtab_get(const struct symtab *t, size_t index, Elf64_Sym *out);

/* To be called before the whole table is read. */
void symtab_read_ahead(struct symtab *t);

/* Walks a table: start with a copy of t->syms; false at the end. */
static inline bool
symtab_next(const struct symtab *t, struct view *v, Elf64_Sym *out)
{
	const uint8_t *p = view_bytes(v, t->entsize);

	if (p == NULL)
		return false;
	memcpy(out, p, sizeof(*out)); /* entsize is not smaller */
	return true;
}

/* The raw name (with a version, in .symtab), "" when damaged. */
const char *symtab_name(const struct symtab *t, const Elf64_Sym *sym);
/* A symbol for the caller; false when its name is empty or damaged. */
bool symtab_fill(
    const struct symtab *t, const Elf64_Sym *sym, struct image_symbol *out);
bool symtab_is_definition(const Elf64_Sym *sym);
bool symtab_is_code(const struct symtab *t, const Elf64_Sym *sym);
/* The symbol that covers vaddr. (symindex.c) */
bool symtab_at(struct symtab *t, uint64_t vaddr, Elf64_Sym *out);
/* The two ways of symtab_at, for tests that compare them. */
bool symtab_at_scan(const struct symtab *t, uint64_t vaddr, Elf64_Sym *out);
bool symtab_at_index(struct symtab *t, uint64_t vaddr, Elf64_Sym *out);
void symtab_deinit(struct symtab *t);

#endif /* IMAGE_INTERNAL_H */

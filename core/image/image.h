/* SPDX-License-Identifier: MIT */
/*
 * One ELF file: an executable, a shared library, a debug file, or an image
 * found in memory (vdso, headers dumped into a core). 64 bits, little-endian.
 *
 * The file is mapped read-only and read through views; section and program
 * headers are read at open, everything else on first use: symbols, inflated
 * sections, build-id. Damaged parts are "absent", not fatal: an image without
 * a readable section table still has its segments, and the other way round.
 * An image is reference counted and belongs to one thread.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/opener.h"
#include "base/view.h"

struct image;

#define IMAGE_BUILD_ID_MAX 64

struct image_build_id {
	uint8_t bytes[IMAGE_BUILD_ID_MAX];
	uint32_t size; /* 0: none */
};

struct image_segment { /* one program header, PT_LOAD and others */
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz, align;
};

struct image_section {
	const char *name; /* valid as long as the image */
	uint32_t type;
	uint64_t flags, addr, offset, size, link, info, entsize;
};

/* A function or data symbol. name is the linkage name, not demangled, valid as
 * long as the image. */
struct image_symbol {
	const char *name;
	uint64_t value; /* virtual address in the file's own numbering */
	uint64_t size;
	uint8_t type; /* STT_* */
	uint8_t bind; /* STB_* */
	bool dynamic; /* from .dynsym */
};

/* Opens and maps a file. BT_E_FORMAT with an offset for what is not ELF,
 * BT_E_UNSUPPORTED for ELF of another class, byte order or machine (the text
 * names it). *out is owned: image_unref. */
bool image_open(struct opener *o, enum opener_kind kind, const char *path,
    struct image **out, bt_error_t *e) BT_CHECK;
/* The same for a file that is open already (a debuginfod client's), which must
 * be a regular one; the caller keeps fd. */
bool image_open_fd(
    int fd, const char *path, struct image **out, bt_error_t *e) BT_CHECK;
/* Takes ownership of malloc'd bytes, also on failure. The bytes are laid out
 * as in the file (by p_offset). name is for messages. */
bool image_from_memory(void *bytes, size_t size, const char *name,
    struct image **out, bt_error_t *e) BT_CHECK;
/* For an image copied from a running process, whose loader adds the load
 * address to the pointers in PT_DYNAMIC (glibc does, except for the vdso):
 * pointers not below bias have it taken off. To be said before anything else
 * is asked. */
void image_set_dynamic_bias(struct image *image, uint64_t bias);
struct image *image_ref(struct image *image);
void image_unref(struct image *image); /* NULL allowed */

const char *image_path(const struct image *image);
uint16_t image_elf_type(const struct image *image); /* ET_EXEC, ET_DYN, ... */
uint16_t image_machine(const struct image *image);  /* EM_X86_64, ... */
uint64_t image_entry(const struct image *image);
bool image_has_segments(const struct image *image);
size_t image_segments(
    const struct image *image, const struct image_segment **out);
size_t image_sections(
    const struct image *image, const struct image_section **out);
/* NULL when absent. */
const struct image_section *image_section_find(
    const struct image *image, const char *name);

/*
 * The bytes of a section, inflated on first use (SHF_COMPRESSED with zlib or
 * zstd, and the old .zdebug_* form, which is found under its .debug_* name).
 * Absent: false with BT_E_NOTFOUND. A compression ratio above the cap or a
 * size above the limit is BT_E_LIMIT. Valid as long as the image.
 *
 * In an object file (ET_REL: a .dwo file) several sections can have one name,
 * as each type unit is a group of its own: they are given joined.
 */
bool image_section_view(struct image *image, const char *name, struct view *out,
    bt_error_t *e) BT_CHECK;

/*
 * The same in part: image_section_open inflates nothing; image_section_reach
 * makes sure of the first `to` bytes (of all, where there are fewer), and then
 * `view` is what is there, at least those. An uncompressed section is there
 * from the beginning. Views taken before stay valid. What lies behind damage
 * cannot be reached; what is reached was compared with the checksum only when
 * that was all of it.
 */
struct image_bytes {
	struct view view;
	size_t size;	       /* of all */
	struct stream *stream; /* private, too: */
	bool sparse;
};
bool image_section_open(struct image *image, const char *name,
    struct image_bytes *out, bt_error_t *e) BT_CHECK;
bool image_section_reach(
    struct image_bytes *b, uint64_t to, bt_error_t *e) BT_CHECK;
/* Of a section that is large, compressed and read here and there, only those
 * parts can be kept in memory: to be said first. Then image_section_range takes
 * the place of image_section_reach: `view` ends at `to`, and of the bytes
 * before it those asked for are there, now or before. */
void image_section_sparse(struct image_bytes *b);
bool image_section_range(
    struct image_bytes *b, uint64_t from, uint64_t to, bt_error_t *e) BT_CHECK;
/* What lies wholly in [from, to) was only looked at; nothing points there. */
void image_section_forget(struct image_bytes *b, uint64_t from, uint64_t to);

/* Bytes of the file image by virtual address, as far as p_filesz reaches: how
 * many of size were found (0 when none). *out borrows from the image. A debug
 * file, whose segments describe another file, has none. */
size_t image_read_vaddr(const struct image *image, uint64_t vaddr, size_t size,
    const uint8_t **out);

/* A hint that a part of a section is about to be read whole. The file is mapped
 * for random access, so without it a cold disk is read page by page. */
void image_will_read(const struct image *image, struct view part);
/* It was read, and will hardly be again: it need not stay in memory. */
void image_was_read(const struct image *image, struct view part);

/* NULL when there is none. */
const struct image_build_id *image_build_id(struct image *image);
/* From .note.gnu.build-id content or any PT_NOTE: also used on target memory.*/
bool image_build_id_from_notes(
    struct view notes, uint64_t align, struct image_build_id *out);
bool image_build_id_equal(
    const struct image_build_id *a, const struct image_build_id *b);
/* Hex text, needs 2 * IMAGE_BUILD_ID_MAX + 1 bytes. */
char *image_build_id_hex(const struct image_build_id *id, char *out);

/* .gnu_debuglink: file name and CRC; a name that is a path is refused.
 * .gnu_debugaltlink: path and build-id. */
bool image_debuglink(struct image *image, const char **name, uint32_t *crc);
bool image_debugaltlink(
    struct image *image, const char **path, struct image_build_id *id);

/*
 * The function symbol that covers vaddr: an STT_FUNC or STT_GNU_IFUNC (or
 * untyped, in an executable section) symbol whose [value, value + size)
 * contains it; of several, the one that starts last. A symbol of size 0 counts
 * where no sized one does and reaches to the next symbol. .symtab first, then
 * .dynsym, then the mini debug info (.gnu_debugdata), which is inflated only
 * when it is needed. Of several at one address: a function before a label,
 * global or weak before local, then, as GDB does, the name that sorts last
 * ("raise" before "gsignal"). A symbol version ("@@GLIBC_2.34") is cut off.
 * False when none.
 *
 * For a file with a separate debug image, GDB's order is: ask the file first,
 * then the debug image, and take the second answer only if it starts later.
 */
bool image_symbol_at(
    struct image *image, uint64_t vaddr, struct image_symbol *out);
/* First definition of a name in .dynsym (by its hash table), .symtab or the
 * mini debug info, any type; the default version, if there are several. */
bool image_symbol_named(
    struct image *image, const char *name, struct image_symbol *out);
/* The same of names that are exported and in a hash table (DT_GNU_HASH), of the
 * default version: no table is walked through. */
bool image_symbol_exported(
    struct image *image, const char *name, struct image_symbol *out);
/* All defined symbols in table order, until the callback returns false:
 * .symtab, .dynsym, and without .symtab the mini debug info. */
void image_symbols_each(struct image *image,
    bool (*each)(void *ctx, const struct image_symbol *symbol), void *ctx);
bool image_has_symtab(struct image *image);

/* Name of the function a PLT entry at vaddr jumps to (".plt", ".plt.sec",
 * ".plt.got" through the relocations): "strlen", without "@plt". */
bool image_plt_name(struct image *image, uint64_t vaddr, const char **name);

#endif /* IMAGE_IMAGE_H */

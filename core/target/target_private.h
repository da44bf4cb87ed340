/* SPDX-License-Identifier: MIT */
/*
 * What a target is inside its room. A backend (core file, captured process)
 * fills `struct target` once, at open: threads, mappings, auxv, process facts.
 * After that only its memory is asked for, through the ops; everything built
 * on top (modules, images, thread-local storage) is the same for all backends.
 */
#ifndef TARGET_PRIVATE_H
#define TARGET_PRIVATE_H

#include "base/arena.h"
#include "base/strings.h"
#include "base/vec.h"
#include "target/target.h"
#include <stdlib.h>

struct target_ops {
	/* Bytes the target itself holds (not from images), in place. */
	size_t (*view)(struct target *t, bt_addr_t address, size_t size,
	    const uint8_t **out);
	/* How many bytes from start on, without a gap and up to end, view has.
	 * Asked for in the order of addresses, with the same *at, which is 0 at
	 * first. NULL: view is asked. */
	size_t (*held)(
	    struct target *t, bt_addr_t start, bt_addr_t end, size_t *at);
	/* Bytes that must be got first, where neither view nor the module's
	 * file has them; NULL: there are none. */
	size_t (*fetch)(struct target *t, bt_addr_t address, size_t size,
	    const uint8_t **out);
	/* The bytes will be read in order, and those of the last call are done
	 * with. May be NULL. */
	void (*stream)(struct target *t, bt_addr_t address, size_t size);
	/* The bytes will be read soon. May be NULL. */
	void (*expect)(struct target *t, bt_addr_t address, size_t size);
	void (*close)(struct target *t);
	bool is_live; /* all that is mapped can be fetched */
};

struct auxv_entry {
	uint64_t type, value;
};

/* A part of the address space that is mapped from a file. */
struct file_range {
	bt_addr_t start, end;
	uint64_t offset;
	const char *path; /* interned: equal paths are equal pointers */
};

/* A part of the address space as the backend reports it. */
struct load_range {
	bt_addr_t start, end;
	uint32_t perms;
};

typedef VEC(struct target_mapping) mapping_vec;
typedef VEC(struct target_module) module_vec;
typedef VEC(struct target_thread) thread_vec;
typedef VEC(struct file_range) file_vec;
typedef VEC(struct load_range) load_vec;

struct target {
	const struct target_ops *ops;
	const struct arch *arch;
	struct arena arena;
	struct strings strings;

	/* Borrowed from the caller, who keeps them alive. */
	struct opener *opener;
	struct debugfile_finder finder;
	const char *const *load;
	const char *exe_path;
	bool force;
	struct budget *budget, own_budget;

	struct target_process process;
	struct target_signal signal;
	thread_vec threads;
	file_vec files;
	load_vec loads;
	mapping_vec mappings;
	module_vec modules;
	VEC(struct auxv_entry) auxv;
	VEC(struct target_warning) warnings;
	VEC(struct target_fact) facts;
	VEC(struct target_limit) limits;
	VEC(struct target_descriptor) descriptors;
	uint64_t warnings_dropped;
	/* Bits of a code pointer that are its signature (NT_ARM_PAC_MASK); 0:
	 * not told. */
	uint64_t code_mask;

	/* Arguments (0) and environment (1), where the kernel told; empty: as
	 * the stack has them. */
	struct view given[2];

	struct target_module *exe;
	/* Unmodified file contents, the range used last. */
	struct {
		bt_addr_t start, end;
		const uint8_t *bytes;
	} image_range;
	struct tls_place **tls; /* by module, NULL: not looked for yet */
};

/* target.c: set-up and tear-down shared by the backends. */
bool target_init(struct target *t, const struct target_ops *ops,
    const struct target_options *options, bt_error_t *e);
void target_deinit(struct target *t);
/* Everything that follows from loads, files, auxv and memory. */
bool target_finish(struct target *t, bt_error_t *e);
/* Bytes the target holds, up to size of them (across ranges). */
size_t target_read_own(
    struct target *t, bt_addr_t address, void *out, size_t size);
/* An address or number as wide as one, in the target's byte order. */
bool target_read_word(struct target *t, bt_addr_t address, uint64_t *out);
/* Path for messages: one printable line, in the target's arena. */
const char *target_show(struct target *t, const char *path);

/* A signal by which the processor reports a fault. */
bool target_signal_is_fault(int number);

/* mappings.c */
bool mappings_build(struct target *t, bt_error_t *e);
/* After modules_build: gives the heap its name, where it is beyond doubt. */
void mappings_name_heap(struct target *t);
/* Drops what overlaps an earlier range, sorts; counts what was dropped. */
size_t files_normalise(file_vec *files);
size_t loads_normalise(load_vec *loads);
/* Index of the mapping that holds the address, or SIZE_MAX. */
size_t mapping_index(const struct target *t, bt_addr_t address);

/* modules.c */
bool modules_build(struct target *t, bt_error_t *e);
struct memelf;
struct target_module *module_add(
    struct target *t, const char *path, bt_addr_t start, bt_addr_t end);
struct target_module *module_add_elf(struct target *t, const char *path,
    bt_addr_t file_start, const struct memelf *elf);
/* The code of an ELF file is mapped executable where its headers say. */
bool memelf_code_in_place(struct target *t, const struct memelf *elf);

/* module_exe.c: marks the executable; without a file table finds the other
 * modules, too. */
bool modules_find_exe(struct target *t);

/* memelf.c: an ELF image as it lies in the target's own memory. */
enum { MEMELF_SEGMENTS_MAX = 64 };
struct memelf {
	uint16_t type;
	uint64_t entry;
	uint64_t bias;
	bt_addr_t start, end; /* of its PT_LOADs, run-time, page-rounded */
	bt_addr_t dynamic;    /* run-time, 0: none */
	uint64_t dynamic_size;
	bool has_interp;
	unsigned n_segments;
	struct image_segment segments[MEMELF_SEGMENTS_MAX];
	struct image_build_id build_id;
};
/* base: where offset 0 of the file is mapped. False when the header was not
 * dumped (*absent) or is no ELF header. */
bool memelf_read(
    struct target *t, bt_addr_t base, struct memelf *out, bool *absent);
/* From program headers alone, as AT_PHDR and AT_PHNUM tell. */
bool memelf_from_phdrs(
    struct target *t, bt_addr_t phdr, uint64_t count, struct memelf *out);
/* The bytes of the file as far as memory has them, malloc'd; only when every
 * segment's bytes are there. */
bool memelf_to_file(
    struct target *t, const struct memelf *m, uint8_t **out, size_t *size);
/* Permissions of the segment at a run-time address; false: in none. */
bool memelf_perms(const struct image_segment *segments, size_t n, uint64_t bias,
    bt_addr_t address, uint32_t *perms);

/* tls.c: of PT_TLS; 0: there is none. */
uint64_t memelf_tls_size(const struct image_segment *segments, size_t n);

/* linkmap.c */
struct linkmap_entry {
	bt_addr_t address; /* of the struct link_map */
	uint64_t bias;
	bt_addr_t dynamic;
	const char *name; /* "": none, or it cannot be read */
	bt_addr_t name_at;
};
typedef VEC(struct linkmap_entry) linkmap_vec;
/* Walks the dynamic linker's list from the executable's DT_DEBUG. */
bool linkmap_read(struct target *t, bt_addr_t dynamic, uint64_t dynamic_size,
    linkmap_vec *out);
/* The list as seen from the module that is the executable. */
bool linkmap_of_exe(struct target *t, linkmap_vec *out);

/* module_image.c */
/* The image fits where it was mapped: every segment's file pages at their
 * place. */
bool module_layout_fits(struct target *t, const struct image_segment *segments,
    size_t n, uint64_t bias, const char *path);
/* The file without the " (deleted)" the kernel appends. */
const char *module_file_path(struct target *t, const char *path, bool *deleted);

#endif /* TARGET_PRIVATE_H */

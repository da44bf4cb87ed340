/* SPDX-License-Identifier: MIT */
/*
 * Addresses of thread-local variables (Drepper, "ELF Handling For Thread-Local
 * Storage", variant II: blocks lie below the thread pointer; on aarch64 variant
 * I: above it, behind two words). glibc keeps for each module its offset from
 * the thread pointer and its number in private fields of struct link_map. Their
 * place differs between versions, but not their order: the TLS segment's
 * initial image, its size in the file, in memory, its alignment, the offset
 * of its first byte, the offset from the thread pointer, the module's number.
 * The first four are known from the ELF file, so the fields are found by
 * content, whatever the version and without any symbols.
 */
#include <elf.h>

#include "target/target_private.h"

enum { LINK_MAP_WORDS = 512 };

struct tls_segment {
	uint64_t vaddr, filesz, memsz, align;
};

/* NULL: there is none. */
static const struct image_segment *
find_tls(const struct image_segment *segments, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (segments[i].type == PT_TLS)
			return &segments[i];
	return NULL;
}

static bool
tls_segment_of(
    struct target *t, const struct target_module *m, struct tls_segment *out)
{
	const struct image_segment *segments = NULL, *tls;
	struct memelf elf;
	bool absent;
	size_t n = 0;

	if (m->image != NULL && !m->mismatched) {
		n = image_segments(m->image, &segments);
	} else if (m->has_header &&
	    memelf_read(t, m->file_start, &elf, &absent)) {
		segments = elf.segments;
		n = elf.n_segments;
	}
	tls = find_tls(segments, n);
	if (tls == NULL)
		return false;
	out->vaddr = tls->vaddr;
	out->filesz = tls->filesz;
	out->memsz = tls->memsz;
	out->align = tls->align != 0 ? tls->align : 1;
	return (out->align & (out->align - 1)) == 0;
}

uint64_t
memelf_tls_size(const struct image_segment *segments, size_t n)
{
	const struct image_segment *tls = find_tls(segments, n);

	return tls != NULL ? tls->memsz : 0;
}

uint64_t
target_module_tls_size(struct target *t, struct target_module *m)
{
	const struct image_segment *segments;
	struct image *image;
	size_t n;

	if (m->has_header)
		return m->tls_size;
	image = target_module_image(t, m);
	if (image == NULL || m->mismatched)
		return 0;
	n = image_segments(image, &segments);
	return memelf_tls_size(segments, n);
}

/* l_tls_offset and l_tls_modid of one link_map. */
static bool
find_fields(struct target *t, bt_addr_t link_map, uint64_t bias,
    const struct tls_segment *s, int64_t *offset, uint64_t *number)
{
	uint64_t words[LINK_MAP_WORDS];
	size_t n;

	n = target_read(t, link_map, words, sizeof(words)) / sizeof(words[0]);
	for (size_t i = 0; i + 7 <= n; i++) {
		if (words[i] == s->vaddr + bias && words[i + 1] == s->filesz &&
		    words[i + 2] == s->memsz && words[i + 3] == s->align) {
			*offset = (int64_t)words[i + 5];
			*number = words[i + 6];
			return true;
		}
	}
	return false;
}

/* What one look at the linker's list told of a module. */
struct tls_place {
	bool known;
	int64_t offset; /* from the thread pointer, downwards */
	uint64_t number;
};

static void
look_up(struct target *t, const struct target_module *m,
    const struct tls_segment *s, struct tls_place *out)
{
	linkmap_vec list;

	if (linkmap_of_exe(t, &list)) {
		for (size_t i = 0; i < list.count && !out->known; i++) {
			const struct linkmap_entry *entry = &list.items[i];

			if (entry->bias == m->bias &&
			    entry->dynamic >= m->start &&
			    entry->dynamic < m->end)
				out->known = find_fields(t, entry->address,
				    m->bias, s, &out->offset, &out->number);
		}
	}
	vec_deinit(&list);
}

/* The list is walked once per module, not once per variable and thread. */
static struct tls_place
module_place(struct target *t, const struct target_module *m,
    const struct tls_segment *s)
{
	struct tls_place *place = NULL, fresh = {0};

	if (t->tls == NULL)
		t->tls = arena_array(
		    &t->arena, t->modules.count, sizeof(*t->tls));
	if (t->tls != NULL)
		place = t->tls[m->index];
	if (place != NULL)
		return *place;
	look_up(t, m, s, &fresh);
	place = ARENA_NEW(&t->arena, struct tls_place);
	if (t->tls != NULL && place != NULL) {
		*place = fresh;
		t->tls[m->index] = place;
	}
	return fresh;
}

/* Variant I. */
static bool
blocks_above(const struct target *t)
{
	return t->arch == &arch_aarch64;
}

/* The executable's block ends at the thread pointer, or begins behind the two
 * words at it: its offset follows from its own program header. */
static int64_t
exe_offset(const struct target *t, const struct tls_segment *s)
{
	enum { TCB = 16 };
	uint64_t mask = s->align - 1, first = s->vaddr & mask;

	if (blocks_above(t))
		return (int64_t)(((TCB - first + mask) & ~mask) + first);
	return (int64_t)((s->memsz + first + mask) & ~mask) - (int64_t)first;
}

/* glibc: the thread pointer points to struct pthread, whose second word is the
 * vector of blocks, and on aarch64 to two words, of which it is the first;
 * entries are pairs, entry 0 the generation. */
static bool
block_from_dtv(struct target *t, uint64_t tp, uint64_t number, bt_addr_t *block)
{
	uint64_t dtv, length;

	if (!blocks_above(t))
		tp += 8;
	return number != 0 && number < UINT64_C(1) << 20 &&
	    target_read_u64(t, tp, &dtv) && dtv > 16 &&
	    target_read_u64(t, dtv - 16, &length) && number <= length &&
	    target_read_u64(t, dtv + number * 16, block) && *block != 0 &&
	    *block != UINT64_MAX;
}

bool
target_tls_address(struct target *t, const struct target_thread *thread,
    const struct target_module *module, uint64_t offset, bt_addr_t *out,
    bt_error_t *e)
{
	struct tls_segment s;
	struct tls_place place;
	bt_addr_t tp, block;

	if (thread == NULL || !thread->has_regs ||
	    !arch_thread_pointer(&thread->regs, &tp))
		return bt_fail(e, BT_E_NOTFOUND, "no thread pointer");
	if (module == NULL || !tls_segment_of(t, module, &s))
		return bt_fail(
		    e, BT_E_NOTFOUND, "the module has no thread-local data");
	/* GCC's split DWARF before version 5 has the variable's address in the
	 * segment instead (.debug_addr with R_X86_64_64 in place of _DTPOFF64);
	 * no offset reaches as far as the segment's own address. */
	if (offset >= s.memsz && s.memsz <= s.vaddr && offset >= s.vaddr)
		offset -= s.vaddr;
	if (offset >= s.memsz)
		return bt_fail(e, BT_E_FORMAT,
		    "offset %llu is beyond the module's thread-local data",
		    (unsigned long long)offset);
	place = module_place(t, module, &s);
	if (!place.known) {
		if (!module->is_exe)
			return bt_fail(e, BT_E_NOTFOUND,
			    "the module's thread-local block is unknown");
		place.offset = exe_offset(t, &s);
	}
	/* 0: not decided; -1 (glibc) and -2: allocated on demand. */
	if (place.offset > 0) {
		*out = (blocks_above(t) ? tp + (uint64_t)place.offset
					: tp - (uint64_t)place.offset) +
		    offset;
		return true;
	}
	if (!block_from_dtv(t, tp, place.number, &block))
		return bt_fail(e, BT_E_NOTFOUND,
		    "the thread has not used the module's thread-local data");
	*out = block + offset;
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Choosing the pages. Each page of memory in the core has a bit; the passes set
 * bits until the budget is used up; then the bits become ranges.
 */
#include "spool/plan.h"

#include <stdio.h>
#include <sys/procfs.h>

#define PAGE UINT64_C(4096)

enum {
	/* Of the first thread, which is the one that crashed, and of others. */
	STACK_FIRST = 512 * 1024,
	STACK_OTHER = 64 * 1024,
	/* So much of each stack is searched for pointers. */
	STACK_SEARCHED = 16 * 1024,
	THREADS_MAX = 65536,
	/* Each page on its own may need two program headers, of which a core
	 * has at most 65,534. */
	REFERENCED_MAX = 16384,
	SEGMENTS_MAX = 30000,
	/* Place of the stack pointer among the words of elf_gregset_t. */
	STACK_WORD = 19
};

/* A segment that has bytes in the file. */
struct part {
	uint64_t address, from, size;
	uint64_t first_page; /* number of its first bit */
	uint32_t flags;
	bool chosen; /* all of it, so far as the budget went */
};

struct chooser {
	VEC(struct part) parts; /* by address */
	uint8_t *bits;
	uint64_t n_pages, left; /* pages, and how many may still be chosen */
	VEC(elf_gregset_t) threads;
	size_t referenced, referenced_max;
};

/* ---- what there is ---- */

static int
by_address(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return 0;
}

static bool
list_parts(struct chooser *c, const struct plan_head *h, bt_error_t *e)
{
	for (size_t i = 0; i < h->n_phdrs; i++) {
		const Elf64_Phdr *p = &h->phdrs[i];
		struct part *part;

		if (p->p_type != PT_LOAD || p->p_filesz == 0)
			continue;
		/* Of a stream only what comes after the head can be chosen. */
		if ((h->gathered == false && p->p_offset < h->size) ||
		    p->p_vaddr + p->p_filesz < p->p_vaddr)
			return bt_fail_format(
			    e, p->p_offset, "a segment is out of place");
		part = vec_push(&c->parts);
		if (part == NULL)
			return bt_fail(e, BT_E_LIMIT, "too many segments");
		*part = (struct part){.address = p->p_vaddr,
		    .from = p->p_offset,
		    .size = p->p_filesz,
		    .flags = p->p_flags};
	}
	if (c->parts.count != 0)
		qsort(c->parts.items, c->parts.count, sizeof(*c->parts.items),
		    by_address);
	for (size_t i = 0; i < c->parts.count; i++) {
		c->parts.items[i].first_page = c->n_pages;
		c->n_pages += (c->parts.items[i].size + PAGE - 1) / PAGE;
	}
	c->bits = calloc(1, c->n_pages / 8 + 1);
	return c->bits != NULL || bt_fail(e, BT_E_NOMEM, "out of memory");
}

/* The registers of a thread. */
static void
add_thread(void *ctx, uint32_t type, const uint8_t *data, size_t size)
{
	struct chooser *c = ctx;
	elf_gregset_t *regs;

	if (type != NT_PRSTATUS || size < sizeof(struct elf_prstatus))
		return;
	regs = vec_push(&c->threads);
	if (regs != NULL)
		memcpy(regs, data + offsetof(struct elf_prstatus, pr_reg),
		    sizeof(*regs));
}

/* The part that has the address; NULL: none. */
static struct part *
part_at(struct chooser *c, uint64_t address)
{
	size_t low = 0, high = c->parts.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->parts.items[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	struct part *p = &c->parts.items[low - 1];
	return address - p->address < p->size ? p : NULL;
}

/* ---- choosing ---- */

/* The page with the address. True if it is chosen now or was before. */
static bool
choose_page(struct chooser *c, const struct part *p, uint64_t address)
{
	uint64_t page = p->first_page + (address - p->address) / PAGE;
	uint8_t bit = (uint8_t)(1u << (page & 7));

	if ((c->bits[page / 8] & bit) != 0)
		return true;
	if (c->left == 0)
		return false;
	c->left--;
	c->bits[page / 8] |= bit;
	return true;
}

static void
choose_from(
    struct chooser *c, const struct part *p, uint64_t address, uint64_t size)
{
	uint64_t end = p->address + p->size;

	if (size < end - address)
		end = address + size;
	while (address < end && choose_page(c, p, address))
		address += PAGE - (address - p->address) % PAGE;
}

static void
choose_stacks(struct chooser *c)
{
	for (size_t i = 0; i < c->threads.count; i++) {
		uint64_t sp = c->threads.items[i][STACK_WORD];
		/* The red zone is in use as well. */
		struct part *p = part_at(c, sp - 128);

		if (p == NULL)
			p = part_at(c, sp);
		else
			sp -= 128;
		if (p != NULL)
			choose_from(
			    c, p, sp, i == 0 ? STACK_FIRST : STACK_OTHER);
	}
}

static void
choose_word(struct chooser *c, uint64_t word)
{
	struct part *p = part_at(c, word);
	uint64_t left = c->left;

	if (p == NULL || c->referenced >= c->referenced_max)
		return;
	(void)choose_page(c, p, word);
	c->referenced += left != c->left;
}

static void
choose_referenced(struct chooser *c, const struct plan_memory *memory)
{
	static const size_t words = sizeof(elf_gregset_t) / sizeof(uint64_t);
	uint64_t stack[STACK_SEARCHED / sizeof(uint64_t)];

	for (size_t i = 0; i < c->threads.count; i++)
		for (size_t k = 0; k < words; k++)
			choose_word(c, c->threads.items[i][k]);
	for (size_t i = 0; memory != NULL && i < c->threads.count; i++) {
		uint64_t sp = c->threads.items[i][STACK_WORD] & ~7ULL;
		size_t got = memory->read(
		    memory->ctx, sp, stack, sizeof(stack));

		for (size_t k = 0; k < got / sizeof(*stack); k++)
			choose_word(c, stack[k]);
	}
}

/* The pages at the beginning: ELF headers with build-ids, and of data segments
 * the dynamic section and the global offset table. */
static void
choose_heads(struct chooser *c)
{
	for (size_t i = 0; i < c->parts.count; i++)
		choose_from(
		    c, &c->parts.items[i], c->parts.items[i].address, PAGE);
}

/* Everything else, small segments first: data of modules before the heap. */
static void
choose_rest(struct chooser *c)
{
	for (uint64_t limit = 64 * 1024; c->left != 0; limit *= 4) {
		bool more = false;

		for (size_t i = 0; i < c->parts.count; i++) {
			struct part *p = &c->parts.items[i];

			if (p->chosen)
				continue;
			if (p->size > limit) {
				more = true;
				continue;
			}
			choose_from(c, p, p->address, p->size);
			p->chosen = true;
		}
		if (more == false || limit > UINT64_MAX / 4)
			return;
	}
}

/* ---- ranges ---- */

static bool
page_is_chosen(const struct chooser *c, uint64_t page)
{

	return (c->bits[page / 8] >> (page & 7) & 1) != 0;
}

static int
by_offset(const void *a, const void *b)
{
	const struct plan_range *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return 0;
}

static bool
add_ranges(struct plan *out, const struct chooser *c, const struct part *p)
{
	uint64_t pages = (p->size + PAGE - 1) / PAGE;

	for (uint64_t i = 0; i < pages;) {
		bool kept = page_is_chosen(c, p->first_page + i);
		uint64_t first = i, start, end;
		struct plan_range *r;

		while (
		    i < pages && page_is_chosen(c, p->first_page + i) == kept)
			i++;
		start = first * PAGE;
		end = i * PAGE < p->size ? i * PAGE : p->size;
		r = vec_push(&out->ranges);
		if (r == NULL)
			return false;
		*r = (struct plan_range){.from = p->from + start,
		    .size = end - start,
		    .address = p->address + start,
		    .flags = p->flags,
		    .kept = kept};
		*(kept ? &out->kept : &out->missing) += r->size;
	}
	return true;
}

static bool
make_ranges(struct plan *out, const struct chooser *c, bt_error_t *e)
{
	for (size_t i = 0; i < c->parts.count; i++)
		if (add_ranges(out, c, &c->parts.items[i]) == false)
			return bt_fail(e, BT_E_LIMIT, "too many pieces");
	/* Read in one pass, so they are wanted in the order of the file. */
	if (out->ranges.count != 0)
		qsort(out->ranges.items, out->ranges.count,
		    sizeof(*out->ranges.items), by_offset);
	for (size_t i = 1; i < out->ranges.count; i++)
		if (out->ranges.items[i - 1].from +
			out->ranges.items[i - 1].size >
		    out->ranges.items[i].from)
			return bt_fail_format(e, out->ranges.items[i].from,
			    "segments overlap in the file");
	return true;
}

static bool
choose(struct chooser *c, const struct plan_head *h, uint64_t budget,
    const struct plan_memory *memory, bt_error_t *e)
{
	if (list_parts(c, h, e) == false)
		return false;
	plan_each_note(h, add_thread, c);
	c->left = budget / PAGE;
	choose_stacks(c);
	choose_referenced(c, memory);
	choose_heads(c);
	choose_rest(c);
	return true;
}

/* So many pages may stand alone: of an eighth of the room, and as many as there
 * are program headers for. */
static size_t
referenced_max(uint64_t room)
{
	uint64_t pages = room / PAGE / 8;

	return pages < REFERENCED_MAX ? (size_t)pages : REFERENCED_MAX;
}

/* The most that the new head can take: each segment and each page on its own
 * may become a piece that is kept and one that is not. */
static uint64_t
head_room(const struct plan_head *h, uint64_t room)
{
	uint64_t pieces = 2 * (h->n_phdrs + referenced_max(room)) + 2;

	return h->size + pieces * sizeof(Elf64_Phdr) + 2 * PAGE;
}

bool
plan_make(struct plan *p, const struct plan_head *h, uint64_t room,
    const struct plan_memory *memory, bt_error_t *e)
{
	struct chooser c = {.referenced_max = referenced_max(room)};
	uint64_t head = head_room(h, room);
	bool good;

	if (head >= room)
		return bt_fail(e, BT_E_LIMIT,
		    "no room for the notes of the core: %llu bytes",
		    (unsigned long long)head);
	*p = (struct plan){0};
	vec_init(&p->ranges, PN_XNUM - 1 - 16);
	vec_init(&c.parts, SEGMENTS_MAX);
	vec_init(&c.threads, THREADS_MAX);
	good = choose(&c, h, room - head, memory, e) && make_ranges(p, &c, e);
	free(c.bits);
	vec_deinit(&c.parts);
	vec_deinit(&c.threads);
	if (good == false)
		plan_deinit(p);
	return good;
}

void
plan_deinit(struct plan *p)
{
	vec_deinit(&p->ranges);
}

/* ---- writing ---- */

/* The segments without bytes of their own stay as they are: mappings that the
 * kernel did not dump. Notes follow the table, in their order. */
static size_t
count_phdrs(const struct plan *p, const struct plan_head *h)
{
	size_t n = p->ranges.count;

	for (size_t i = 0; i < h->n_phdrs; i++)
		n += h->phdrs[i].p_type != PT_LOAD || h->phdrs[i].p_filesz == 0;
	return n;
}

/* Up to a page: kernels align memory in cores. */
static uint64_t
align(uint64_t offset)
{

	return (offset + PAGE - 1) & ~(PAGE - 1);
}

static void
put_others(const struct plan_head *h, uint64_t notes_at, struct buf *out)
{
	for (size_t i = 0; i < h->n_phdrs; i++) {
		Elf64_Phdr p = h->phdrs[i];

		if (p.p_type == PT_LOAD && p.p_filesz != 0)
			continue;
		if (p.p_type == PT_NOTE) {
			p.p_offset = notes_at;
			notes_at += (p.p_filesz + 3) & ~3ULL;
		}
		buf_append(out, &p, sizeof(p));
	}
}

static void
put_ranges(const struct plan *p, uint64_t data_at, struct buf *out)
{
	uint64_t end = data_at + p->kept;

	for (size_t i = 0; i < p->ranges.count; i++) {
		const struct plan_range *r = &p->ranges.items[i];
		Elf64_Phdr h = {.p_type = PT_LOAD,
		    .p_flags = r->flags,
		    .p_vaddr = r->address,
		    .p_filesz = r->size,
		    .p_memsz = r->size,
		    .p_align = 1};

		h.p_offset = r->kept ? data_at : end;
		*(r->kept ? &data_at : &end) += r->size;
		buf_append(out, &h, sizeof(h));
	}
}

bool
plan_write_head(const struct plan *p, const struct plan_head *h,
    struct buf *out, bt_error_t *e)
{
	Elf64_Ehdr ehdr = *h->ehdr;
	size_t count = count_phdrs(p, h);
	uint64_t notes_at = sizeof(ehdr) + count * sizeof(Elf64_Phdr);
	uint64_t notes = 0, data_at;

	if (count >= PN_XNUM)
		return bt_fail(e, BT_E_LIMIT, "too many pieces");
	for (size_t i = 0; i < h->n_phdrs; i++)
		if (h->phdrs[i].p_type == PT_NOTE)
			notes += (h->phdrs[i].p_filesz + 3) & ~3ULL;
	data_at = align(notes_at + notes);
	ehdr.e_phnum = (Elf64_Half)count;
	ehdr.e_shoff = 0;
	ehdr.e_shnum = ehdr.e_shstrndx = 0;
	buf_append(out, &ehdr, sizeof(ehdr));
	put_others(h, notes_at, out);
	put_ranges(p, data_at, out);
	for (size_t i = 0; i < h->n_phdrs; i++) {
		if (h->phdrs[i].p_type != PT_NOTE)
			continue;
		buf_append(
		    out, h->data + h->phdrs[i].p_offset, h->phdrs[i].p_filesz);
		while ((out->size & 3) != 0)
			buf_putc(out, '\0');
	}
	while (out->size < data_at && out->failed == false)
		buf_putc(out, '\0');
	return out->failed == false ||
	    bt_fail(e, BT_E_LIMIT, "the head is too large");
}

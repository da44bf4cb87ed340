/* SPDX-License-Identifier: MIT */
/*
 * Use after free, by where the bad value came from: the pointer, or the address
 * that was called, was read from a block that is free now. Freed memory can be
 * read without a fault; what fails is the next step, with what the allocator
 * keeps there (mangled links, its random mark, addresses of its lists) or with
 * what the next owner of the memory wrote.
 *
 * The read must have come after the free. A program may well take a pointer out
 * of a block, free the block, and then use the pointer: so a value that the
 * allocator did not write counts only if nothing was called in between.
 */
#include <string.h>

#include "common/blame.h"
#include "common/damage.h"
#include "common/holder.h"
#include "common/link.h"
#include "common/scan.h"
#include "common/use.h"

/* Links and mark: what glibc, jemalloc, tcmalloc write into freed blocks. */
enum { ALLOCATOR_WORDS = 16 };

/* A library function failed on an argument: where did its caller read it? */
static bool
find_in_caller(struct use *u)
{
	enum { ARGUMENTS = 3 };
	const uint64_t walked = 4096; /* by the function, through a string */
	const struct crash *c = u->c;
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	ptrace_frame_t *caller = blame_frame(c->thread, c->frame);

	if (c->frame == NULL || caller == NULL || caller == c->frame ||
	    c->operand == NULL || c->operand->base_known == false ||
	    !ptrace_target_call_before(
		c->target, ptrace_frame_ip(caller), &call))
		return false;
	for (unsigned i = 0; i < ARGUMENTS; i++) {
		struct origin origin;

		origin_at_call(c, caller, call.address,
		    ptrace_argument_register(i), &origin);
		if (origin.has_value && use_of_origin(u, &origin) &&
		    c->address + walked - u->value < 2 * walked)
			return true;
	}
	return false;
}

/* ---- by a pointer that is near ---- */

/* A word that points to a freed block in which the allocator's own words are
 * the bad value. */
static bool
points_to_freed(
    const struct crash *c, void *ctx, uint64_t word, const char *where)
{
	struct use *u = ctx;
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
	uint64_t words[ALLOCATOR_WORDS / 8];
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	if (word % 8 != 0 || !ptrace_target_mapping(c->target, word, &m) ||
	    (m.permissions & PTRACE_PERM_WRITE) == 0 ||
	    !ptrace_heap_at(c->target, word, &b) || b.start != word ||
	    (b.state != PTRACE_HEAP_FREE && b.state != PTRACE_HEAP_CACHED) ||
	    !ptrace_target_read(c->target, word, words, sizeof(words), NULL))
		return false;
	for (unsigned i = 0; i < ALLOCATOR_WORDS / 8; i++) {
		if (words[i] != u->value)
			continue;
		u->holder = word + i * 8;
		u->called_since = false;
		u->how = pmodule_text(c->bt, "%s points to it", where);
		return true;
	}
	return false;
}

static bool
bad_value(const struct crash *c, uint64_t *out)
{

	if (c->bad_target || c->kind == CRASH_EXECUTE)
		*out = c->address;
	else if (c->operand != NULL && c->operand->base_known &&
	    c->operand->segment_relative == false)
		*out = c->operand->base_value;
	else
		return false;
	return !crash_is_null(*out);
}

static bool
find_near(struct use *u)
{

	return bad_value(u->c, &u->value) &&
	    scan_near(u->c, points_to_freed, u) != NULL;
}

/* ---- verdicts ---- */

static struct report
report_use(const struct use *u, const ptrace_heap_block_t *b, double confidence,
    const char *text)
{
	struct report r = report_of(u->c, "use-after-free", confidence, text);

	report_note(&r,
	    pmodule_text(u->c->bt, "0x%" PRIx64 " is in 0x%" PRIx64 ", %s",
		u->value, u->holder, u->how));
	if (b->cache_tid != 0 &&
	    b->cache_tid != (int32_t)ptrace_thread_tid(u->c->thread))
		report_note(&r,
		    pmodule_text(u->c->bt,
			"it was freed by thread %d, which still has it in its "
			"cache",
			(int)b->cache_tid));
	holder_note(u->c->bt, u->c->thread, b, &r);
	report_token(&r, "heap.uaf");
	return r;
}

static bool
is_start(const struct crash *c, void *ctx, uint64_t word, const char *where)
{
	const ptrace_heap_block_t *b = ctx;

	(void)c;
	(void)where;
	return word == b->start;
}

/* Somebody near still has the block. If not, a pointer may have run into it
 * from the block before. */
static bool
is_held(const struct use *u, const ptrace_heap_block_t *b)
{

	return b->offset == 0 ||
	    scan_near(u->c, is_start, (void *)(uintptr_t)b) != NULL;
}

static double
certainty(const struct use *u, const ptrace_heap_block_t *b)
{
	bool own_words = b->offset >= 0 && b->offset < ALLOCATOR_WORDS;
	struct link link;

	/* What was read may have been right when it was. */
	if (u->called_since && own_words == false)
		return 0.45;
	/* What was never handed out may as well lie behind the last block; but
	 * of small addresses, links are addresses of the heap themselves. */
	if (b->state == PTRACE_HEAP_UNUSED)
		return link_find(u->c, u->holder, &link) && link.in_free ? 0.96
									 : 0.6;
	if (is_held(u, b) == false)
		return 0.82;
	return b->transient ? 0.9 : 0.97;
}

static bool
judge_freed(const struct use *u, const ptrace_heap_block_t *b)
{
	const char *what = u->c->kind == CRASH_EXECUTE || u->c->bad_target
	    ? "the address that was called"
	    : "the pointer";
	struct report r;

	if (b->state != PTRACE_HEAP_FREE && b->state != PTRACE_HEAP_CACHED &&
	    b->state != PTRACE_HEAP_PURGED && b->state != PTRACE_HEAP_UNUSED)
		return false;
	r = report_use(u, b, certainty(u, b),
	    pmodule_text(u->c->bt,
		"use after free: %s, 0x%" PRIx64 ", was read at offset %" PRId64
		" of %s",
		what, u->value, b->offset, damage_block_text(u->c->bt, b)));
	report_publish(&r);
	return true;
}

/* One step before: the pointer to where the bad value was read came out of a
 * freed block itself. A table of virtual functions is reached so. */
static bool
judge_through(const struct use *u)
{
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
	struct use before = *u;

	if (u->has_through == false ||
	    !ptrace_heap_at(u->c->target, u->through, &b) ||
	    !ptrace_target_read(u->c->target, u->through, &before.value,
		sizeof(before.value), NULL))
		return false;
	before.holder = u->through;
	before.how = "which led to what failed";
	return judge_freed(&before, &b);
}

/* Text fills the block from its first byte on, where an object has a pointer:
 * no array of the object itself can have run over, and no neighbour did, for
 * the header is whole. Somebody else uses the memory as a buffer. */
static void
judge_reused(const struct use *u, const ptrace_heap_block_t *b)
{
	char text[33] = "";
	struct report r;

	if (b->state != PTRACE_HEAP_ALLOCATED || u->holder != b->start ||
	    b->damaged || b->transient ||
	    ptrace_target_read_some(
		u->c->target, b->start, text, sizeof(text) - 1) < 8)
		return;
	for (unsigned i = 0; i < 8; i++)
		if (text[i] < ' ' || text[i] > '~')
			return;
	if (damage_near(u->c->target, b))
		return;
	for (unsigned i = 8; i < sizeof(text); i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '\0';
	r = report_use(u, b, 0.89,
	    pmodule_text(u->c->bt,
		"use after free, most likely: %s, which was taken for an "
		"object, is a buffer with text, \"%s\": the memory was handed "
		"out again",
		damage_block_text(u->c->bt, b), text));
	report_publish(&r);
}

/* ---- links of lists of free blocks ---- */

/* By its highest bits alone: of a block that was larger, and was cut since, no
 * list tells any more. */
static bool
is_like_link(const struct crash *c, uint64_t value)
{
	const unsigned page = 12;
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
	const char *allocator = ptrace_heap_allocator(c->target);
	uint64_t decoded = value;

	if (allocator == NULL || strcmp(allocator, "ptmalloc") != 0 ||
	    value >> 48 != 0)
		return false;
	if (value >> 36 == 0)
		return value >> 16 != 0 &&
		    ptrace_heap_at(c->target, (value << page) + 4080, &b);
	for (unsigned i = 0; i < 4; i++)
		decoded = value ^ decoded >> page;
	return ptrace_heap_at(c->target, decoded, &b) && b.start == decoded &&
	    (b.state == PTRACE_HEAP_CACHED || b.state == PTRACE_HEAP_FREE);
}

static double
link_certainty(bool freed, bool left, const struct link *link)
{

	if (link->in_free && link->in_used)
		return 0.7;
	if (left)
		return 0.86;
	if (link->in_free || link->in_used)
		return 0.84;
	return freed ? 0.75 : 0.62;
}

/* An address of the arena's own lists, which ends those that a block was in. */
static bool
judge_list_end(const struct crash *c, const ptrace_heap_block_t *holder)
{
	const uint64_t arena_size = 2200;
	struct report r;
	uint64_t value;

	if (holder->state != PTRACE_HEAP_ALLOCATED || holder->arena == 0 ||
	    bad_value(c, &value) == false ||
	    value - holder->arena >= arena_size)
		return false;
	r = report_of(c, "uninit-pointer", 0.87,
	    pmodule_text(c->bt,
		"0x%" PRIx64 " was not set: it is an address of the "
		"allocator's lists, which was left in the block while that was "
		"free",
		value));
	report_note(&r, damage_block_text(c->bt, holder));
	report_token(&r, "uninit");
	report_publish(&r);
	return true;
}

/* Read from a block in use it was left over from when that was free: the
 * program did not set it, or still has an old pointer to the block. */
static void
judge_link(const struct crash *c, const ptrace_heap_block_t *holder)
{
	bool left = holder != NULL && holder->state == PTRACE_HEAP_ALLOCATED;
	bool found, freed;
	struct link link;
	struct report r;
	uint64_t value;

	if (bad_value(c, &value) == false)
		return;
	found = link_find(c, value, &link);
	if (found == false && is_like_link(c, value) == false)
		return;
	/* The number of a page may be any number. */
	freed = left == false && (found ? link.in_free : value >> 36 != 0);
	r = report_of(c, freed ? "use-after-free" : "uninit-pointer",
	    link_certainty(freed, left, &link),
	    pmodule_text(c->bt,
		link.mark ? "the pointer 0x%" PRIx64
			    " is the mark of freed blocks: it was read from a "
			    "block that was freed"
		    : freed
		    ? "the pointer 0x%" PRIx64
		      " is a link of a list of free blocks: it was read from "
		      "a block that was freed"
		    : "the pointer 0x%" PRIx64
		      " was not set: it is what the allocator left in the "
		      "block while that was free",
		value));
	if (link.to != 0)
		report_note(&r,
		    pmodule_text(c->bt,
			"decoded, it leads to the block at 0x%" PRIx64,
			link.to));
	if (left)
		report_note(&r, damage_block_text(c->bt, holder));
	else if (found)
		report_note(&r,
		    pmodule_text(c->bt, "0x%" PRIx64 " is in %s", link.value,
			damage_block_text(c->bt, &link.block)));
	report_token(&r, freed ? "heap.uaf" : "uninit");
	report_publish(&r);
}

/* ---- memory that is gone ---- */

struct gone {
	uint64_t size; /* of the largest block that was unmapped */
	bt_addr_t block;
};

/* Blocks with a mapping of their own begin 16 bytes into a page. */
static bool
points_to_unmapped(
    const struct crash *c, void *ctx, uint64_t word, const char *where)
{
	const uint64_t page = 4096, header = 16;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	struct gone *g = ctx;

	(void)where;
	if (word % page != header || c->address - word >= g->size - header ||
	    ptrace_target_mapping(c->target, word, &m))
		return false;
	g->block = word;
	return true;
}

static void
judge_unmapped(const struct crash *c)
{
	ptrace_heap_statistics_t s = PTRACE_HEAP_STATISTICS_INIT;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	struct gone g = {0};
	struct report r;
	const char *where;

	if (c->kind != CRASH_PAGE || crash_is_null(c->address) ||
	    c->direction == NULL ||
	    ptrace_target_mapping(c->target, c->address, &m))
		return;
	for (uint32_t i = 0; ptrace_heap_statistics(c->target, i, &s); i++)
		if (s.largest_unmapped > g.size)
			g.size = s.largest_unmapped;
	if (g.size == 0)
		return;
	where = scan_near(c, points_to_unmapped, &g);
	if (where == NULL)
		return;
	r = report_of(c, "use-after-free", 0.8,
	    pmodule_text(c->bt,
		"use after free, most likely: %s at offset %" PRIu64
		" of a block at 0x%" PRIx64
		" that had a mapping of its own, which is gone",
		crash_access_text(c), c->address - g.block, g.block));
	report_note(
	    &r, pmodule_text(c->bt, "%s holds 0x%" PRIx64, where, g.block));
	report_note(&r,
	    pmodule_text(c->bt,
		"the allocator unmapped such blocks, of up to %" PRIu64
		" bytes, when they were freed",
		g.size));
	report_token(&r, "heap.uaf");
	report_publish(&r);
}

/* It died inside the allocator: the module of such deaths has spoken. */
static bool
is_judged(ptrace_backtrace_t *bt)
{
	static const char *const classes[] = {"double-free", "invalid-free",
	    "heap-overflow", "heap-underflow", "use-after-free",
	    "heap-corruption"};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (pmodule_finding_confidence(bt, classes[i]) > 0)
			return true;
	return false;
}

static void
analyse(ptrace_backtrace_t *bt)
{
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
	struct crash c;
	struct use u = {.c = &c};

	if (crash_resolve(bt, &c) == false || c.context == NULL ||
	    (c.kind != CRASH_PAGE && c.kind != CRASH_PROTECTION &&
		c.kind != CRASH_EXECUTE) ||
	    pmodule_finding_confidence(bt, "stack-overflow") > 0 ||
	    is_judged(bt))
		return;
	if (use_in_function(&u) || find_in_caller(&u)) {
		bool in_heap = ptrace_heap_at(c.target, u.holder, &b);

		if ((in_heap && judge_freed(&u, &b)) || judge_through(&u))
			return;
		if (in_heap) {
			judge_reused(&u, &b);
			if (judge_list_end(&c, &b) == false)
				judge_link(&c, &b);
			return;
		}
	}
	if (find_near(&u) && ptrace_heap_at(c.target, u.holder, &b)) {
		(void)judge_freed(&u, &b);
		return;
	}
	judge_link(&c, NULL);
	judge_unmapped(&c);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("heap-use", load, NULL, NULL)

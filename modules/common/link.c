/* SPDX-License-Identifier: MIT */
/*
 * glibc (since 2.32) keeps a link as the address it leads to, exclusive-or the
 * address of the link itself shifted by 12 bits. A link that ends a list is
 * therefore the number of a page of the heap. Any other can be decoded as far
 * as the two pages are the same, from the highest bits down: that finds the
 * heap, and the word in it that has the value tells the rest.
 */
#include <string.h>

#include "link.h"

enum { PAGE_BITS = 12, MEMBERS = 64, LOOKS = 64 };
static const uint64_t heap_most = UINT64_C(64) << 20;

static bool
is_start(const struct crash *c, bt_addr_t address, ptrace_heap_block_t *b)
{

	return ptrace_heap_at(c->target, address, b) && b->start == address;
}

/* A word with the value stands there: is it a link? */
static void
look(const struct crash *c, bt_addr_t at, uint64_t value, struct link *out)
{
	ptrace_heap_block_t holder = PTRACE_HEAP_BLOCK_INIT;
	ptrace_heap_block_t next = PTRACE_HEAP_BLOCK_INIT;
	bt_addr_t to = value ^ at >> PAGE_BITS;
	bool free;

	if (!is_start(c, at, &holder) || (to != 0 && !is_start(c, to, &next)))
		return;
	free = holder.state == PTRACE_HEAP_CACHED ||
	    holder.state == PTRACE_HEAP_FREE;
	if (free == false && holder.state != PTRACE_HEAP_ALLOCATED)
		return;
	if (out->in_free == false || free) {
		out->value = value;
		out->to = to;
		out->block = holder;
	}
	out->in_free = out->in_free || free;
	out->in_used = out->in_used || free == false;
}

static bool
look_between(const struct crash *c, bt_addr_t start, bt_addr_t end,
    uint64_t low, uint64_t high, struct link *out)
{
	bt_addr_t at;
	uint64_t value;

	for (unsigned i = 0; i < LOOKS &&
	     ptrace_target_find_word(
		 c->target, start, end, low, high, &at, &value);
	     i++, start = at + 8)
		look(c, at, value, out);
	return out->in_free || out->in_used;
}

/* It would be the number of the page that it stands in. */
static bool
find_last(const struct crash *c, uint64_t value, struct link *out)
{
	const uint64_t page = 1 << PAGE_BITS;
	bt_addr_t start = value << PAGE_BITS;

	return look_between(c, start, start + page, value, value, out);
}

static bool
find_decoded(const struct crash *c, uint64_t value, struct link *out)
{
	const uint32_t data = PTRACE_PERM_READ | PTRACE_PERM_WRITE;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t decoded = value;

	for (unsigned i = 0; i < 4; i++)
		decoded = value ^ decoded >> PAGE_BITS;
	if (!ptrace_target_mapping(c->target, decoded, &m) ||
	    m.permissions != data || (m.path != NULL && m.path[0] == '/'))
		return false;
	if (m.end - m.start > heap_most)
		m.end = m.start + heap_most;
	return look_between(c, m.start, m.end, value - MEMBERS, value, out);
}

/* The second word of a block in a thread's cache: random, the same in all, and
 * removed when the block is handed out. */
static bool
find_mark(const struct crash *c, uint64_t value, struct link *out)
{
	const uint32_t data = PTRACE_PERM_READ | PTRACE_PERM_WRITE;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t left = heap_most, word;

	for (bt_addr_t at = 0;
	     left > 0 && ptrace_target_mapping_next(c->target, at, &m);
	     at = m.end) {
		ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
		bt_addr_t from = m.start, found;

		if (m.permissions != data ||
		    (m.path != NULL && strcmp(m.path, "[heap]") != 0))
			continue;
		/* Of a large heap only the beginning: it takes time. */
		if (m.end - m.start > left)
			m.end = m.start + left;
		left -= m.end - m.start;
		for (unsigned i = 0; i < LOOKS &&
		     ptrace_target_find_word(
			 c->target, from, m.end, value, value, &found, &word);
		     i++, from = found + 8) {
			if (!is_start(c, found - 8, &b) ||
			    b.state != PTRACE_HEAP_CACHED)
				continue;
			out->value = value;
			out->block = b;
			out->mark = out->in_free = true;
			return true;
		}
	}
	return false;
}

bool
link_find(const struct crash *c, uint64_t value, struct link *out)
{
	const char *allocator = ptrace_heap_allocator(c->target);
	const uint64_t smallest = 4096;

	memset(out, 0, sizeof(*out));
	out->block = (ptrace_heap_block_t)PTRACE_HEAP_BLOCK_INIT;
	if (allocator == NULL || strcmp(allocator, "ptmalloc") != 0 ||
	    value < smallest)
		return false;
	if (value >> 48 != 0)
		return find_mark(c, value, out);
	for (unsigned i = 0; i <= MEMBERS; i += 8)
		if ((value - i) >> (48 - PAGE_BITS) == 0 &&
		    find_last(c, value - i, out))
			return true;
	return find_decoded(c, value, out);
}

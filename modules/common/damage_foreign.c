/* SPDX-License-Identifier: MIT */
/*
 * Damage to the heaps of allocators that keep nothing, or next to nothing, in
 * front of their blocks (jemalloc, tcmalloc, musl). What is wrong there says
 * more of what was done than a broken header does:
 *
 *   jemalloc keeps freed pointers in arrays of its own, so one that is no block
 *   was passed to free, and a block that is there twice was freed twice;
 *   tcmalloc links freed blocks through their first word, so a link that leads
 *   astray was written over while the block was free, unless it is the head of
 *   the list, which nobody but free writes;
 *   musl keeps a null byte behind each block, and it is the block's own writer
 *   who runs over it.
 */
#include <string.h>

#include "damage.h"
#include "holder.h"

static void
fill(struct report *r, const char *class_name, const char *token,
    double confidence, bt_addr_t address, const char *text)
{

	r->class_name = class_name;
	r->confidence = confidence;
	r->text = text;
	r->has_address = true;
	r->address = address;
	report_token(r, token);
}

static void
explain_overrun(ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a,
    double confidence, struct report *r)
{
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;

	if (!ptrace_heap_at(ptrace_backtrace_target(bt), a->before, &b))
		b.start = a->before;
	fill(r, "heap-overflow", "heap.overflow", confidence, a->before,
	    b.usable == 0 ? "a block was written past its end"
			  : pmodule_text(bt, "%s was written past its end",
				damage_block_text(bt, &b)));
	holder_note(bt, r->thread, &b, r);
}

/* The block in front ran over its own end as well. */
static bool
is_overrun_before(ptrace_target_t *t, const ptrace_heap_anomaly_t *a)
{
	ptrace_heap_anomaly_t other = PTRACE_HEAP_ANOMALY_INIT;

	for (uint32_t i = 0;
	     a->before != 0 && ptrace_heap_anomaly(t, i, &other); i++)
		if (other.check == PTRACE_HEAP_CHECK_OVERLAP &&
		    other.transient == false && other.before == a->before &&
		    strcmp(other.allocator, a->allocator) == 0)
			return true;
	return false;
}

/* What leads to the pointer is itself within a block: a link. */
static bool
is_link(ptrace_target_t *t, const ptrace_heap_anomaly_t *a)
{
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;

	return strcmp(a->allocator, "tcmalloc") == 0 &&
	    ptrace_heap_at(t, a->address, &b) && b.start == a->address;
}

static void
explain_link(
    ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a, struct report *r)
{

	fill(r, "use-after-free", "heap.uaf", 0.9, a->address,
	    pmodule_text(bt,
		"the free block at 0x%" PRIx64 " was written to: its first "
		"word, 0x%" PRIx64 ", leads to no free block",
		a->address, a->found));
}

static void
explain_foreign(
    ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a, struct report *r)
{

	if (a->start == 0)
		fill(r, "invalid-free", "heap.invalid-free", 0.9, a->found,
		    pmodule_text(bt,
			"0x%" PRIx64 " was freed, which is no block of the "
			"heap",
			a->found));
	else
		fill(r, "invalid-free", "heap.invalid-free", 0.95, a->found,
		    pmodule_text(bt,
			"0x%" PRIx64 " was freed, which lies %" PRIu64
			" bytes inside the block at 0x%" PRIx64,
			a->found, a->found - a->start, a->start));
}

bool
damage_explain_foreign(
    ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a, struct report *r)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	bool musl = strcmp(a->allocator, "musl") == 0;

	if (!musl && strcmp(a->allocator, "jemalloc") != 0 &&
	    strcmp(a->allocator, "tcmalloc") != 0)
		return false;
	switch (a->check) {
	case PTRACE_HEAP_CHECK_OVERLAP:
		explain_overrun(bt, a, 0.97, r);
		return true;
	case PTRACE_HEAP_CHECK_SIZE:
		if (is_overrun_before(t, a))
			explain_overrun(bt, a, 0.97, r);
		else
			fill(r, "heap-corruption", "heap.corrupt", 0.85,
			    a->address,
			    pmodule_text(bt,
				"the bytes in front of the block at 0x%" PRIx64
				" were written over",
				a->start));
		return true;
	case PTRACE_HEAP_CHECK_LINK:
	case PTRACE_HEAP_CHECK_FOREIGN:
		if (is_link(t, a))
			explain_link(bt, a, r);
		else
			explain_foreign(bt, a, r);
		return true;
	case PTRACE_HEAP_CHECK_BIN:
		fill(r, "alloc-mismatch", "heap.mismatch", 0.8, a->start,
		    pmodule_text(bt,
			"the block at 0x%" PRIx64 " was released as one of "
			"another size",
			a->start));
		return true;
	default:
		return false; /* as with any allocator */
	}
}

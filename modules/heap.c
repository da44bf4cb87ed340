/* SPDX-License-Identifier: MIT */
/*
 * Deaths inside the allocator: by its own check, or by a fault. What it says
 * names the check that fired, which is seldom the bug (an overflow is reported
 * as "double free or corruption"). So the heap is walked and the pointer that
 * was passed is looked up; glibc's words count only where they state what it
 * found in a list, or when nothing better is known.
 */
#include <signal.h>
#include <string.h>

#include "common/blame.h"
#include "common/damage.h"
#include "common/holder.h"
#include "common/link.h"
#include "common/message.h"
#include "common/release.h"

static const char *const texts[] = {
    "malloc(): ", "free(): ", "realloc(): ", "calloc(): ", "munmap_chunk(): ",
    "mremap_chunk(): ", "malloc_consolidate(): ", "double free or corruption",
    "corrupted double-linked list", "corrupted size vs. prev_size",
    "break adjusted to free malloc space",
    "tcache_thread_shutdown(): ", "invalid fastbin entry",
    "malloc assertion failure", "malloc.c:"};

static const char *const certain[] = {
    "free(): double free detected in tcache 2",
    "double free or corruption (fasttop)"};

static bool
speaks_of(const char *message, const char *const *list, size_t n)
{

	for (size_t i = 0; message != NULL && i < n; i++)
		if (strstr(message, list[i]) != NULL)
			return true;
	return false;
}
#define SPEAKS_OF(M, LIST) speaks_of(M, LIST, sizeof(LIST) / sizeof(*(LIST)))

struct death {
	const struct crash *c;
	const char *message; /* NULL: a fault, or nothing was said */
	struct release release;
	bool has_block;
	ptrace_heap_block_t block; /* of the pointer that was passed */
};

static struct report
report_on(const struct death *d, const char *class_name, double confidence,
    const char *text)
{
	struct report r = report_of(d->c, class_name, confidence, text);

	if (d->message != NULL)
		report_note(&r,
		    pmodule_text(
			d->c->bt, "the allocator said: %s", d->message));
	else if (d->c->frame != NULL && d->c->final.number != SIGABRT)
		report_note(&r,
		    pmodule_text(d->c->bt, "the process died inside %s of %s",
			ptrace_frame_symbol(d->c->frame)[0] != '\0'
			    ? ptrace_frame_symbol(d->c->frame)
			    : "a function",
			ptrace_frame_object(d->c->frame)));
	return r;
}

/* ---- the pointer ---- */

/* Memory that no allocator hands out: of a loaded file, a stack, or none. */
static const char *
no_heap(const struct crash *c, uint64_t pointer)
{
	uint32_t n = ptrace_backtrace_n_threads(c->bt);
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	ptrace_module_t module = PTRACE_MODULE_INIT;

	if (!ptrace_target_canonical(c->target, pointer) ||
	    !ptrace_target_mapping(c->target, pointer, &m))
		return "is not mapped";
	if (ptrace_target_module_at(c->target, pointer, &module) &&
	    (m.path == NULL || strcmp(m.path, "[heap]") != 0))
		return pmodule_text(c->bt, "lies in %s", module.name);
	if (m.path != NULL && m.path[0] == '/')
		return pmodule_text(c->bt, "lies in %s", m.path);
	for (uint32_t i = 0; i < n; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(c->bt, i);
		bt_addr_t start, end;

		if (t != NULL && ptrace_thread_stack(t, &start, &end) &&
		    pointer >= start && pointer < end)
			return pmodule_text(c->bt,
			    "lies on the stack of thread %u",
			    ptrace_thread_tid(t));
	}
	return NULL;
}

static void
publish_invalid(const struct death *d, const char *why, double confidence)
{
	struct report r = report_on(d, "invalid-free", confidence,
	    pmodule_text(d->c->bt,
		"%s was called with 0x%" PRIx64 ", which is no block: %s",
		d->release.function != NULL ? d->release.function : "free",
		d->release.pointer, why));

	r.has_address = true;
	r.address = d->release.pointer;
	report_token(&r, "heap.invalid-free");
	report_publish(&r);
}

/* ---- released by what does not belong to what allocated it ---- */

static void
publish_mismatch(const struct death *d, double confidence, const char *text)
{
	struct report r = report_on(d, "alloc-mismatch", confidence, text);

	if (d->release.has_pointer) {
		r.has_address = true;
		r.address = d->release.pointer;
	}
	report_token(&r, "heap.mismatch");
	report_publish(&r);
}

/* Said beside what it led to: what was passed is no block. */
static void
publish_form(const struct death *d, bool array)
{

	publish_mismatch(d, 0.9,
	    array ? "memory of new[] was released with delete"
		  : "memory of new was released with delete[]");
}

/* The allocator that a library's free belongs to; NULL: not known. */
static const char *
allocator_in(const char *object)
{
	static const struct {
		const char *library, *allocator;
	} list[] = {{"libc", "ptmalloc"}, {"libjemalloc", "jemalloc"},
	    {"libtcmalloc", "tcmalloc"}, {"libtcmalloc_minimal", "tcmalloc"},
	    {"libtcmalloc_debug", "tcmalloc"}};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (blame_object_is(object, list[i].library))
			return list[i].allocator;
	return NULL;
}

/* A sound block of one allocator that another one was asked to release. musl's
 * C library may be called as glibc's is. */
static bool
judge_allocator(const struct death *d)
{
	const ptrace_heap_block_t *b = &d->block;
	uint32_t first = d->c->frame != NULL ? ptrace_frame_index(d->c->frame)
					     : 0;
	const char *asked = NULL;

	if (b->offset != 0 || b->state != PTRACE_HEAP_ALLOCATED || b->damaged ||
	    b->transient || strcmp(b->allocator, "musl") == 0)
		return false;
	/* The outermost frame that is not the program's: raise is libc's, too.
	 */
	for (uint32_t i = ptrace_frame_index(d->release.caller); i-- > first;) {
		ptrace_frame_t *f = ptrace_thread_frame(d->c->thread, i);

		asked = f != NULL ? allocator_in(ptrace_frame_object(f)) : NULL;
		if (asked != NULL)
			break;
	}
	if (asked == NULL || strcmp(asked, b->allocator) == 0)
		return false;
	publish_mismatch(d, 0.97,
	    pmodule_text(d->c->bt, "%s of %s was called with %s of %s",
		d->release.function != NULL ? d->release.function : "free",
		asked, damage_block_text(d->c->bt, b), b->allocator));
	return true;
}

/* new[] of a type with a destructor puts the number of elements in front. */
static bool
is_cookie(const struct death *d)
{
	uint64_t count;

	return d->release.by_delete && d->block.offset == 8 &&
	    ptrace_target_read(
		d->c->target, d->block.start, &count, sizeof(count), NULL) &&
	    count != 0 && count <= d->block.usable;
}

/* delete[] takes the word in front for that number, and what it releases begins
 * there. In front of what new returned lies the size of the block. */
static bool
is_size_as_count(const struct death *d)
{
	const ptrace_heap_block_t *b = &d->block;

	return d->release.by_delete && b->offset == -8 &&
	    b->state == PTRACE_HEAP_ALLOCATED &&
	    strcmp(d->release.function, "operator delete[]") == 0;
}

/* Free blocks are merged with free neighbours and with the rest of the arena.
 * Inside, the old header of one that was freed still has its size. */
static bool
was_merged(const struct death *d)
{
	const ptrace_heap_block_t *b = &d->block;
	const uint64_t header = 16, least = 32, flags = 7;
	uint64_t size, left;

	if ((b->state != PTRACE_HEAP_FREE && b->state != PTRACE_HEAP_UNUSED) ||
	    b->offset < 0 || (uint64_t)b->offset % header != 0 ||
	    strcmp(b->allocator, "ptmalloc") != 0 ||
	    !ptrace_target_read(d->c->target, d->release.pointer - 8, &size,
		sizeof(size), NULL))
		return false;
	size &= ~flags;
	left = b->extent - (uint64_t)b->offset;
	return size >= least && size % header == 0 && size <= left;
}

static bool
judge_interior(const struct death *d)
{
	const ptrace_heap_block_t *b = &d->block;
	const char *why;

	if (b->offset == 0 || b->state == PTRACE_HEAP_UNKNOWN || was_merged(d))
		return false;
	if (b->state == PTRACE_HEAP_UNUSED || b->state == PTRACE_HEAP_METADATA)
		why = "memory of the allocator that was never handed out";
	else
		why = pmodule_text(d->c->bt, "it lies %" PRId64 " bytes %s %s",
		    b->offset < 0 ? -b->offset : b->offset,
		    b->offset < 0 ? "before the start of" : "inside",
		    damage_block_text(d->c->bt, b));
	if (is_cookie(d))
		why = pmodule_text(d->c->bt,
		    "%s, behind a word that counts elements: memory of new[] "
		    "must be released with delete[]",
		    why);
	if (is_size_as_count(d))
		why = pmodule_text(d->c->bt,
		    "%s, where new[] would have put the number of elements: "
		    "memory of new must be released with delete",
		    why);
	publish_invalid(d, why, 0.97);
	if (is_cookie(d) || is_size_as_count(d))
		publish_form(d, is_cookie(d));
	return true;
}

static bool
judge_twice(const struct death *d)
{
	const ptrace_heap_block_t *b = &d->block;
	struct report r;

	bool freed = b->offset == 0 &&
	    (b->state == PTRACE_HEAP_FREE || b->state == PTRACE_HEAP_CACHED ||
		b->state == PTRACE_HEAP_PURGED);

	if (b->transient || (freed == false && was_merged(d) == false))
		return false;
	if (d->release.function != NULL &&
	    strcmp(d->release.function, "realloc") == 0) {
		r = report_on(d, "use-after-free", 0.95,
		    pmodule_text(d->c->bt, "realloc of a freed block: %s",
			damage_block_text(d->c->bt, b)));
		report_token(&r, "heap.uaf");
	} else {
		r = report_on(d, "double-free", 0.97,
		    pmodule_text(d->c->bt, "a block was freed twice: %s",
			damage_block_text(d->c->bt, b)));
		report_token(&r, "heap.double-free");
	}
	r.has_address = true;
	r.address = b->start;
	holder_note(d->c->bt, d->c->thread, b, &r);
	report_publish(&r);
	return true;
}

static bool
is_named(const ptrace_mapping_t *m, const char *name)
{

	return m->path != NULL && strcmp(m->path, name) == 0;
}

/* A gap where the kernel puts mappings: it does so from the top down, right
 * below others, and all of them lie between the program with its heap, and the
 * first thread's stack. */
static bool
is_among_mappings(ptrace_target_t *t, bt_addr_t address)
{
	const uint64_t lowest = UINT64_C(1) << 32, near = UINT64_C(1) << 30;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bool first = true;

	if (address < lowest || ptrace_target_mapping(t, address, &m))
		return false;
	for (bt_addr_t at = address; ptrace_target_mapping_next(t, at, &m);
	     at = m.end, first = false)
		if (is_named(&m, "[heap]") ||
		    (first &&
			(m.start - address > near || is_named(&m, "[stack]"))))
			return false;
	return first == false;
}

/* Blocks with a mapping of their own begin 16 bytes into a page, and lose it
 * when they are freed. */
static bool
judge_unmapped(const struct death *d)
{
	const uint64_t page = 4096, header = 16;
	ptrace_heap_statistics_t s = PTRACE_HEAP_STATISTICS_INIT;
	uint64_t largest = 0;
	struct report r;
	bool again;

	if (d->release.pointer % page != header ||
	    is_among_mappings(d->c->target, d->release.pointer) == false)
		return false;
	for (uint32_t i = 0; ptrace_heap_statistics(d->c->target, i, &s); i++)
		if (s.largest_unmapped > largest)
			largest = s.largest_unmapped;
	if (largest == 0)
		return false;
	again = strcmp(d->release.function, "realloc") != 0;
	r = report_on(d, again ? "double-free" : "use-after-free", 0.96,
	    pmodule_text(d->c->bt,
		"%s was called with 0x%" PRIx64 ", a block that was freed: it "
		"had a mapping of its own, which is gone",
		d->release.function, d->release.pointer));
	report_note(&r,
	    pmodule_text(d->c->bt,
		"the allocator unmapped such blocks, of up to %" PRIu64
		" bytes, when they were freed",
		largest));
	r.has_address = true;
	r.address = d->release.pointer;
	report_token(&r, again ? "heap.double-free" : "heap.uaf");
	report_publish(&r);
	return true;
}

/* What was passed was read from a freed block: an object that is destroyed a
 * second time releases what the allocator has put where its pointers were. */
static bool
judge_link(const struct death *d)
{
	struct link link;
	struct report r;

	if (!link_find(d->c, d->release.pointer, &link) ||
	    link.value != d->release.pointer)
		return false;
	if (link.in_free == false) {
		publish_invalid(d,
		    pmodule_text(d->c->bt,
			"it is what the allocator left in %s while that was "
			"free, and was not set since",
			damage_block_text(d->c->bt, &link.block)),
		    0.97);
		return true;
	}
	r = report_on(d, "use-after-free", 0.97,
	    pmodule_text(d->c->bt,
		"%s was called with 0x%" PRIx64 ", which was read from a freed "
		"block: it is the allocator's %s in %s",
		d->release.function, d->release.pointer,
		link.mark ? "mark" : "link",
		damage_block_text(d->c->bt, &link.block)));
	r.has_address = true;
	r.address = link.block.start;
	holder_note(d->c->bt, d->c->thread, &link.block, &r);
	report_token(&r, "heap.uaf");
	report_publish(&r);
	return true;
}

/* The address is gone, but not that it was none of a block. */
static void
judge_offset(const struct death *d)
{
	const struct release *f = &d->release;
	bool cookie = f->by_delete && f->offset == 8 &&
	    strcmp(f->allocated_by, "operator new[]") == 0;
	struct report r = report_on(d, "invalid-free", 0.96,
	    pmodule_text(d->c->bt,
		"%s was called with what %s returned plus %" PRId64
		", which is no block%s",
		f->function, f->allocated_by, f->offset,
		cookie ? ": memory of new[] must be released with delete[]"
		       : ""));

	report_token(&r, "heap.invalid-free");
	report_publish(&r);
	if (cookie)
		publish_form(d, true);
}

static bool
judge_pointer(const struct death *d)
{
	const struct release *f = &d->release;
	const char *why;
	bool transient;

	if (f->frees && f->has_pointer == false && f->allocated_by != NULL) {
		judge_offset(d);
		return true;
	}
	if (f->frees == false || f->has_pointer == false || f->pointer == 0)
		return false;
	/* What registers suggest is believed of a sound heap only. */
	if (f->guessed && damage_any(d->c->target, &transient))
		return false;
	if (d->has_block == false && judge_unmapped(d))
		return true;
	if ((d->has_block == false || d->block.offset != 0) && judge_link(d))
		return true;
	/* musl hands out what is left over of the pages of loaded files. */
	why = d->has_block ? NULL : no_heap(d->c, f->pointer);
	if (why != NULL) {
		publish_invalid(d, why, 0.97);
		return true;
	}
	if (d->has_block == false)
		return false;
	if (judge_allocator(d) || judge_interior(d))
		return true;
	/* Lists may show a block as free that damage has put there. */
	return !damage_near(d->c->target, &d->block) && judge_twice(d);
}

/* ---- the heap ---- */

static bool
judge_damage(const struct death *d)
{
	struct report r = report_on(d, "", 0, NULL);

	if (!damage_explain(d->c->bt, d->has_block ? &d->block : NULL, &r))
		return false;
	/* What the access did that ran into it is a consequence. */
	if (d->message == NULL && r.confidence < 0.96)
		r.confidence = 0.96;
	report_publish(&r);
	return true;
}

/* glibc has not handed out a block yet: there is nothing to release. */
static bool
has_no_heap(const struct crash *c)
{
	ptrace_heap_statistics_t s = PTRACE_HEAP_STATISTICS_INIT;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	if (c->frame == NULL || ptrace_heap_statistics(c->target, 0, &s) ||
	    !blame_object_is(ptrace_frame_object(c->frame), "libc"))
		return false;
	for (bt_addr_t at = 0; ptrace_target_mapping_next(c->target, at, &m);
	     at = m.end)
		if (is_named(&m, "[heap]"))
			return false;
	return true;
}

/* Every block of glibc's is as it should be. */
static bool
is_sound(const struct death *d)
{
	ptrace_heap_statistics_t s = PTRACE_HEAP_STATISTICS_INIT;
	const char *allocator = ptrace_heap_allocator(d->c->target);
	bool transient;

	if (damage_any(d->c->target, &transient) || transient ||
	    (allocator != NULL && strcmp(allocator, "ptmalloc") != 0))
		return false;
	for (uint32_t i = 0; ptrace_heap_statistics(d->c->target, i, &s); i++)
		if (strcmp(s.allocator, "ptmalloc") == 0)
			return s.complete;
	return has_no_heap(d->c);
}

/* It failed to read the header of what it was to release, or found that none.
 * With all blocks sound it was no block. */
static bool
must_be_foreign(const struct death *d)
{
	static const char *const invalid[] = {"free(): invalid pointer",
	    "realloc(): invalid pointer", "munmap_chunk(): invalid pointer",
	    "free(): invalid size", "double free or corruption (out)"};
	static const char *const looking[] = {"free", "cfree", "__libc_free",
	    "__GI___libc_free", "arena_for_chunk", "munmap_chunk"};
	const char *symbol;

	if (d->message != NULL)
		return SPEAKS_OF(d->message, invalid) && is_sound(d);
	symbol = d->c->frame != NULL ? ptrace_frame_symbol(d->c->frame) : "";
	for (size_t i = 0; i < sizeof(looking) / sizeof(*looking); i++)
		if (strcmp(symbol, looking[i]) == 0)
			return crash_direction_is(d->c, "read") && is_sound(d);
	return false;
}

/* A walk along its lists failed: it said so, or ran into what is no block. */
static bool
is_broken_link(const struct death *d)
{
	static const char *const links[] = {"unaligned tcache chunk detected",
	    "unaligned fastbin chunk detected",
	    "unaligned chunk detected in tcache", "invalid fastbin entry",
	    "malloc_consolidate(): invalid chunk size",
	    "malloc(): memory corruption (fast)"};

	if (d->message != NULL)
		return SPEAKS_OF(d->message, links);
	return d->c->frame != NULL &&
	    strcmp(ptrace_frame_symbol(d->c->frame), "malloc_consolidate") == 0;
}

/* What is known of the lists of glibc where all headers are as they should
 * be. */
static bool
judge_lists(const struct death *d)
{
	static const char *const again[] = {"double free or corruption (top)",
	    "double free or corruption (!prev)"};
	bool twice = SPEAKS_OF(d->message, again);
	struct report r;

	if ((twice == false && is_broken_link(d) == false) ||
	    is_sound(d) == false)
		return false;
	if (twice) {
		r = report_on(d, "double-free", 0.9,
		    pmodule_text(d->c->bt,
			"a block was freed twice: %s, and all blocks are sound",
			d->message));
	} else {
		r = report_on(d, "use-after-free",
		    d->message != NULL ? 0.86 : 0.96,
		    "a freed block was written to: a link in it leads nowhere, "
		    "and the headers of all blocks are whole");
	}
	report_token(&r, twice ? "heap.double-free" : "heap.uaf");
	report_publish(&r);
	return true;
}

static void
judge_words(const struct death *d)
{
	struct report r;

	if (must_be_foreign(d)) {
		r = report_on(d, "invalid-free",
		    d->message != NULL ? 0.92 : 0.96,
		    pmodule_text(d->c->bt,
			"%s was called with what is no block: all blocks are "
			"sound",
			d->release.function != NULL ? d->release.function
						    : "free"));
		report_token(&r, "heap.invalid-free");
	} else if (SPEAKS_OF(d->message, certain)) {
		r = report_on(d, "double-free", 0.96,
		    pmodule_text(
			d->c->bt, "a block was freed twice: %s", d->message));
		report_token(&r, "heap.double-free");
		if (d->has_block) {
			r.has_address = true;
			r.address = d->block.start;
			report_note(&r, damage_block_text(d->c->bt, &d->block));
			holder_note(d->c->bt, d->c->thread, &d->block, &r);
		}
	} else if (d->message != NULL) {
		r = report_on(d, "heap-corruption", 0.7,
		    pmodule_text(d->c->bt,
			"the allocator found its heap damaged: %s",
			d->message));
		report_token(&r, "heap.corrupt");
	} else {
		r = report_on(d, "heap-corruption", 0.96,
		    "the allocator ran into damage of its heap, or was given a "
		    "pointer that is none of its blocks");
		report_token(&r, "heap.corrupt");
	}
	report_publish(&r);
}

static void
judge(const struct crash *c, const char *message)
{
	struct death d = {.c = c, .message = message};

	d.block = (ptrace_heap_block_t)PTRACE_HEAP_BLOCK_INIT;
	if (!release_find(c, message, &d.release) && message == NULL)
		return;
	d.has_block = d.release.has_pointer &&
	    ptrace_heap_at(c->target, d.release.pointer, &d.block);
	if (SPEAKS_OF(message, certain)) {
		judge_words(&d);
		return;
	}
	if (judge_pointer(&d) || judge_damage(&d) || judge_lists(&d))
		return;
	if (message != NULL || c->final.number != SIGABRT)
		judge_words(&d);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	const char *message;
	struct crash c;

	if (crash_resolve(bt, &c) == false || c.context == NULL)
		return;
	if (c.final.number == SIGABRT && c.handled == false) {
		message = message_of_abort(bt);
		/* Other last words are other modules'. */
		if (message == NULL || SPEAKS_OF(message, texts))
			judge(&c, message);
	} else if ((c.kind == CRASH_PAGE || c.kind == CRASH_PROTECTION) &&
	    pmodule_finding_confidence(bt, "stack-overflow") == 0) {
		judge(&c, NULL);
	}
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("heap", load, NULL, NULL)

/* SPDX-License-Identifier: MIT */
/*
 * What can be said of the heap without walking it: the process died inside its
 * allocator, or by the allocator's own check. Then blocks or lists are damaged,
 * or a pointer was freed that must not be; the access inside the allocator is
 * a consequence. glibc's texts name the check that fired, which is seldom the
 * bug (an overflow is reported as "double free or corruption"), so only the two
 * that look the pointer up in a list are taken at their word.
 */
#include <signal.h>
#include <string.h>

#include "common/blame.h"
#include "common/crash.h"
#include "common/message.h"

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

/* Functions of allocators, by whom they are called and by themselves. */
static const char *const functions[] = {"malloc", "free", "cfree", "realloc",
    "calloc", "_int_malloc", "_int_free", "_int_realloc", "_int_memalign",
    "malloc_consolidate", "unlink_chunk", "arena_for_chunk", "sysmalloc",
    "systrim", "munmap_chunk", "tcache_get", "tcache_put",
    "tcache_thread_shutdown", "malloc_usable_size", "__libc_malloc",
    "__libc_free", "__libc_calloc", "__libc_realloc", "aligned_alloc",
    "posix_memalign", "memalign"};

static const char *const libraries[] = {"libjemalloc", "libtcmalloc",
    "libtcmalloc_minimal", "libtcmalloc_debug", "libmimalloc"};

static bool
is_function(const char *name)
{

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		size_t n = strlen(functions[i]);

		if (strncmp(name, functions[i], n) == 0 &&
		    (name[n] == '\0' || name[n] == '.'))
			return true;
	}
	return false;
}

static bool
is_library(const char *object)
{

	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++)
		if (blame_object_is(object, libraries[i]))
			return true;
	return false;
}

/* The innermost frame is the allocator's. Without symbols of libc the name of
 * what the program called tells. */
static bool
in_allocator(const struct crash *c)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	ptrace_frame_t *caller;
	const char *name;

	if (c->frame == NULL || blame_is_machinery(c->frame) == false)
		return false;
	if (is_library(ptrace_frame_object(c->frame)) ||
	    is_function(ptrace_frame_symbol(c->frame)))
		return true;
	caller = blame_frame(c->thread, c->frame);
	if (caller == NULL || caller == c->frame ||
	    !ptrace_target_call_before(
		c->target, ptrace_frame_ip(caller), &call))
		return false;
	name = ptrace_target_call_name(c->target, &call);
	return name != NULL && is_function(name);
}

static void
judge_message(const struct crash *c)
{
	const char *message = message_of_abort(c->bt);
	bool sure = false, heap = false;
	struct report r;

	for (size_t i = 0;
	     message != NULL && i < sizeof(texts) / sizeof(*texts); i++)
		heap = heap || strstr(message, texts[i]) != NULL;
	if (heap == false)
		return;
	for (size_t i = 0; i < sizeof(certain) / sizeof(*certain); i++)
		sure = sure || strstr(message, certain[i]) != NULL;
	r = report_of(c, sure ? "double-free" : "heap-corruption",
	    sure ? 0.9 : 0.7,
	    pmodule_text(c->bt,
		sure ? "a block was freed twice: %s"
		     : "the allocator found its heap damaged: %s",
		message));
	report_token(&r, sure ? "heap.double-free" : "heap.corrupt");
	report_publish(&r);
}

static void
judge_fault(const struct crash *c)
{
	struct report r = report_of(c, "heap-corruption", 0.96,
	    "the allocator ran into damage of its heap, or was given a pointer "
	    "that is none of its blocks");

	report_note(&r,
	    pmodule_text(c->bt, "the fault is inside %s of %s",
		ptrace_frame_symbol(c->frame)[0] != '\0'
		    ? ptrace_frame_symbol(c->frame)
		    : "a function",
		ptrace_frame_object(c->frame)));
	report_token(&r, "heap.corrupt");
	report_publish(&r);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;

	if (crash_resolve(bt, &c) == false || c.context == NULL)
		return;
	if (c.final.number == SIGABRT && c.handled == false)
		judge_message(&c);
	else if ((c.kind == CRASH_PAGE || c.kind == CRASH_PROTECTION) &&
	    pmodule_finding_confidence(bt, "stack-overflow") == 0 &&
	    in_allocator(&c))
		judge_fault(&c);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("heap", load, NULL, NULL)

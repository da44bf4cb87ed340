/* SPDX-License-Identifier: MIT */
/*
 * The pointer that was passed to free is in no register any more, and libc has
 * no debug information to tell where it went. But the call in the caller does:
 * a slice backwards from it finds what was put into the argument register.
 * Where the caller's own caller jumped on (a tail call), the registers that
 * the allocator's frames keep are tried instead.
 */
#include <string.h>

#include <ptrace/heap.h>

#include "blame.h"
#include "origin.h"
#include "release.h"

/* Functions of allocators, by whom they are called and by themselves. */
static const char *const functions[] = {"malloc", "free", "cfree", "realloc",
    "calloc", "reallocarray", "_int_malloc", "_int_free", "_int_realloc",
    "_int_memalign", "malloc_consolidate", "unlink_chunk", "arena_for_chunk",
    "sysmalloc", "systrim", "munmap_chunk", "mremap_chunk", "tcache_get",
    "tcache_put", "tcache_thread_shutdown", "malloc_usable_size",
    "__libc_malloc", "__libc_free", "__libc_calloc", "__libc_realloc",
    "aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc"};

static const char *const libraries[] = {"libjemalloc", "libtcmalloc",
    "libtcmalloc_minimal", "libtcmalloc_debug", "libmimalloc"};

/* What takes a pointer as its first argument and gives the block back. */
static const struct {
	const char *name, *shown;
	bool by_delete;
} freeing[] = {
    {"free", "free", false},
    {"cfree", "free", false},
    {"__libc_free", "free", false},
    {"realloc", "realloc", false},
    {"__libc_realloc", "realloc", false},
    {"reallocarray", "reallocarray", false},
    {"malloc_usable_size", "malloc_usable_size", false},
    {"_ZdlPv", "operator delete", true},
    {"_ZdaPv", "operator delete[]", true},
    {"operator delete[]", "operator delete[]", true},
    {"operator delete", "operator delete", true},
};

static bool
begins(const char *name, const char *with)
{
	size_t n = strlen(with);

	return strncmp(name, with, n) == 0 &&
	    (name[n] == '\0' || name[n] == '.' || name[n] == '(' ||
		name[n] == '@');
}

bool
release_is_function(const char *name)
{

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (begins(name, functions[i]))
			return true;
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

/* How a process dies, and the C library that hosts an allocator. */
static bool
is_inner(const ptrace_frame_t *f, const char *object)
{

	if (strcmp(ptrace_frame_object(f), object) != 0)
		return is_library(ptrace_frame_object(f));
	/* In one file with the program: only names tell. */
	if (blame_object_is(object, "libc") || is_library(object) ||
	    blame_object_is(object, "ld-musl-x86_64"))
		return true;
	return blame_is_machinery(f) ||
	    release_is_function(ptrace_frame_symbol(f));
}

static ptrace_frame_t *
find_caller(const struct crash *c, uint32_t *index)
{
	const uint32_t far = 64;
	uint32_t first = c->frame != NULL ? ptrace_frame_index(c->frame) : 0;
	uint32_t n = ptrace_thread_n_frames(c->thread);
	ptrace_frame_t *inner = ptrace_thread_frame(c->thread, first);

	if (inner == NULL || !blame_is_machinery(inner))
		return NULL;
	for (uint32_t i = first; i < n && i < first + far; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);

		if (f == NULL)
			return NULL;
		if (is_inner(f, ptrace_frame_object(inner)))
			continue;
		*index = i;
		return f;
	}
	return NULL;
}

static const char *
called(const struct crash *c, const ptrace_instruction_t *call)
{
	const char *name = ptrace_target_call_name(c->target, call);
	bt_addr_t start;

	if (name == NULL && call->target_known) {
		name = ptrace_target_symbol(c->target, call->target, &start);
		if (start != call->target)
			name = NULL;
	}
	return name;
}

static void
name_call(struct release *r, const char *name)
{

	for (size_t i = 0; i < sizeof(freeing) / sizeof(*freeing); i++) {
		/* Mangled names of delete go on with its other parameters. */
		bool same = freeing[i].by_delete && freeing[i].name[0] == '_'
		    ? strncmp(name, freeing[i].name, 6) == 0
		    : begins(name, freeing[i].name);

		if (same == false)
			continue;
		r->function = freeing[i].shown;
		r->frees = true;
		r->by_delete = freeing[i].by_delete;
		return;
	}
	if (release_is_function(name))
		r->function = name;
}

/* A function that jumps on to the allocator with its own argument: what it was
 * called with was passed on. True: one that frees. */
static bool
is_wrapper(
    const struct crash *c, const ptrace_instruction_t *call, struct release *r)
{
	enum { SHORT = 8 };
	bt_addr_t at = call->target;

	for (unsigned i = 0; call->target_known && i < SHORT; i++) {
		ptrace_instruction_t in = PTRACE_INSTRUCTION_INIT;
		const char *name;

		if (!ptrace_target_instruction(c->target, at, &in))
			return false;
		if (in.written >> ptrace_argument_register(0) & 1)
			return false;
		if (in.flow == PTRACE_FLOW_JUMP && in.target_known) {
			in.flow = PTRACE_FLOW_CALL;
			name = called(c, &in);
			if (name != NULL)
				name_call(r, name);
			return r->frees;
		}
		if (in.flow != PTRACE_FLOW_NONE &&
		    in.flow != PTRACE_FLOW_CONDITIONAL)
			return false;
		at += in.length;
	}
	return false;
}

/* The check that spoke fails on a chunk at that address (malloc/malloc.c:
 * _int_free, munmap_chunk, __libc_realloc). */
static bool
fails(const struct crash *c, bt_addr_t chunk, const char *message)
{
	const uint64_t mapped = 2, flags = 7, least = 32, align = 16;
	uint64_t words[2], size;

	if (!ptrace_target_read(c->target, chunk, words, sizeof(words), NULL))
		return false;
	size = words[1] & ~flags;
	if (strstr(message, "munmap_chunk(): invalid pointer") != NULL)
		return (words[1] & mapped) != 0 &&
		    ((chunk - words[0]) | (words[0] + size)) % 4096 != 0;
	if (strstr(message, "(): invalid pointer") != NULL)
		return chunk % align != 0 || chunk > -size;
	if (strstr(message, "free(): invalid size") != NULL)
		return size < least || size % align != 0;
	return false;
}

/* A header that lies within a block: what was passed is 16 bytes further. */
static bool
is_interior(const struct crash *c, bt_addr_t chunk, const char *message)
{
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;

	return message != NULL && ptrace_heap_at(c->target, chunk + 16, &b) &&
	    b.start != chunk + 16 && b.state == PTRACE_HEAP_ALLOCATED &&
	    fails(c, chunk, message);
}

/* A block that cannot be given back, or its header. */
static bool
is_wrong_block(const struct crash *c, uint64_t value, ptrace_heap_block_t *b)
{

	/* Behind a header's first word, which belongs to the block before. */
	return ptrace_heap_at(c->target, value + 8, b) &&
	    (value == b->start || value == b->chunk) &&
	    (b->state == PTRACE_HEAP_FREE || b->state == PTRACE_HEAP_CACHED ||
		b->damaged);
}

/* A kept register of the allocator's frames that holds what was passed, or its
 * header: believed only when that is wrong. realloc keeps the pointer, others
 * the header; an allocator that looks at the pointer first of all (musl's) dies
 * with it in the register in which it was passed. */
static void
try_registers(const struct crash *c, uint32_t caller, const char *message,
    struct release *r)
{
	const int32_t kept[] = {
	    3, 6, 12, 13, 14, 15, ptrace_argument_register(0)};
	size_t n = sizeof(kept) / sizeof(*kept);
	uint32_t first = c->frame != NULL ? ptrace_frame_index(c->frame) : 0;
	uint64_t back =
	    message != NULL && strncmp(message, "realloc", 7) == 0 ? 16 : 0;

	for (uint32_t i = caller; i-- > first;) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);

		for (size_t k = 0; k < (i == first ? n : n - 1); k++) {
			ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
			uint64_t value;

			if (f == NULL ||
			    !ptrace_frame_register(f, kept[k], &value))
				continue;
			if (is_wrong_block(c, value, &b))
				r->pointer = b.start;
			else if ((r->guessed = is_interior(
				      c, value - back, message)))
				r->pointer = value - back + 16;
			else
				continue;
			r->has_pointer = true;
			return;
		}
	}
}

static bool
begins_function(ptrace_target_t *t, bt_addr_t address)
{
	bt_addr_t start = 0, end;

	if (ptrace_target_symbol(t, address, &start) != NULL)
		return start == address;
	return ptrace_target_function(t, address, &start, &end) &&
	    start == address;
}

/* A library without unwind information (musl's) may hide who called it. The
 * innermost return address on the stack that follows a call of one of these
 * functions tells at least what was called. */
static void
try_stack(const struct crash *c, struct release *r)
{
	enum { WORDS = 64 };
	uint64_t words[WORDS];
	size_t n =
	    ptrace_target_read_some(c->target, c->sp, words, sizeof(words)) / 8;
	ptrace_module_t inner = PTRACE_MODULE_INIT;

	if (!ptrace_target_module_at(c->target, c->pc, &inner) ||
	    inner.executable)
		return;
	for (size_t i = 0; i < n && r->function == NULL; i++) {
		ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
		ptrace_module_t m = PTRACE_MODULE_INIT;
		const char *name;

		/* The address of a function (that of main, which the C library
		 * was given) is none that a call returns to. */
		if (!ptrace_target_module_at(c->target, words[i], &m) ||
		    m.start == inner.start ||
		    begins_function(c->target, words[i]) ||
		    !ptrace_target_call_before(c->target, words[i], &call))
			continue;
		name = called(c, &call);
		if (name == NULL)
			return;
		name_call(r, name);
	}
}

/* The pointer was computed from a block that was just allocated. */
static void
note_allocation(
    const struct crash *c, const struct origin *origin, struct release *r)
{
	static const struct {
		const char *name, *shown;
	} list[] = {{"malloc", "malloc"}, {"calloc", "calloc"},
	    {"_Znwm", "operator new"}, {"_Znam", "operator new[]"},
	    {"operator new", "operator new"},
	    {"operator new[]", "operator new[]"}};
	const char *name;

	if (origin->kind != ORIGIN_CALL || origin->added == 0)
		return;
	name = called(c, &origin->instruction);
	for (size_t i = 0; name != NULL && i < sizeof(list) / sizeof(*list);
	     i++)
		if (begins(name, list[i].name)) {
			r->allocated_by = list[i].shown;
			r->offset = origin->added;
		}
}

/* glibc's free looks at the size, in front of what it was given, before
 * anything else. */
static void
try_operand(const struct crash *c, struct release *r)
{
	static const char *const names[] = {
	    "free", "cfree", "__libc_free", "__GI___libc_free"};
	const int64_t size_at = -8;
	const char *symbol;

	if (c->frame == NULL || c->operand == NULL ||
	    c->operand->base_known == false || c->operand->scale != 0 ||
	    c->operand->displacement != size_at)
		return;
	symbol = ptrace_frame_symbol(c->frame);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(symbol, names[i]) != 0)
			continue;
		r->pointer = c->operand->base_value;
		r->has_pointer = r->frees = true;
		if (r->function == NULL)
			r->function = "free";
		return;
	}
}

bool
release_find(const struct crash *c, const char *message, struct release *out)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	struct origin origin;
	const char *name = NULL;
	uint32_t index = 0;
	bool is_call;

	memset(out, 0, sizeof(*out));
	out->caller = find_caller(c, &index);
	/* A thread that ends gives back what it keeps; nobody asked it to. */
	if (out->caller == NULL)
		return c->frame != NULL && blame_is_machinery(c->frame) &&
		    release_is_function(ptrace_frame_symbol(c->frame));
	is_call = ptrace_target_call_before(
	    c->target, ptrace_frame_ip(out->caller), &call);
	if (is_call)
		name = called(c, &call);
	if (name != NULL)
		name_call(out, name);
	if (is_call &&
	    (out->frees ||
		(out->function == NULL && is_wrapper(c, &call, out)))) {
		origin_at_call(c, out->caller, call.address,
		    ptrace_argument_register(0), &origin);
		out->has_pointer = origin.has_value;
		out->pointer = origin.value;
		note_allocation(c, &origin, out);
	}
	/* The call leads to the program's own code: frames are missing. */
	if (out->function == NULL && c->kind != CRASH_SENT && is_call &&
	    call.target_known &&
	    ptrace_target_call_name(c->target, &call) == NULL)
		try_stack(c, out);
	if (out->has_pointer == false)
		try_operand(c, out);
	if (out->has_pointer == false)
		try_registers(c, index, message, out);
	return out->function != NULL ||
	    is_library(ptrace_frame_object(ptrace_thread_frame(c->thread,
		c->frame != NULL ? ptrace_frame_index(c->frame) : 0))) ||
	    (c->frame != NULL &&
		release_is_function(ptrace_frame_symbol(c->frame)));
}

/* SPDX-License-Identifier: MIT */
/*
 * Memory that a reader of the snapshot will want to see raw: the code that
 * ran, the stack from which it ran, the neighbourhood of the faulting address.
 * Small on purpose: a snapshot is not a core.
 */
#include "session/session_private.h"

enum {
	MEMORY_CODE = 64,      /* each way from the program counter */
	MEMORY_RED_ZONE = 128, /* System V psABI x86-64, section 3.2.2 */
	MEMORY_FRAME0 = 1024,  /* at least this much of the first frame */
	MEMORY_STACK = 4096,   /* of all faulting frames together */
	MEMORY_FAULT = 64,     /* each way from the faulting address */
	MEMORY_FRAMES = 16,    /* of the faulting thread that are kept */
	MEMORY_OBJECT = 512,   /* of one object */
	MEMORY_OBJECTS = 32768 /* of all objects */
};

struct range {
	uint64_t start, end;
};

/* Adds what is readable of [start, end). */
static void
add(struct session *s, uint64_t start, uint64_t end, const char *why)
{
	struct snap_memory *out;
	uint8_t *copy;
	size_t size;

	if (end <= start)
		return;
	copy = arena_alloc(&s->snapshot->arena, (size_t)(end - start));
	if (copy == NULL)
		return;
	size = target_read(s->target, start, copy, (size_t)(end - start));
	if (size == 0 || (out = vec_push(&s->snapshot->memory)) == NULL)
		return;
	*out = (struct snap_memory){start, (uint32_t)size, copy, why};
}

/* From around an address; what lies before it may be unreadable while what
 * follows is not (the address is the first byte of a page). */
static void
add_around(struct session *s, uint64_t address, uint64_t before, uint64_t after,
    const char *why)
{
	uint64_t end, start = address > before ? address - before : 0;
	uint8_t byte;

	if (__builtin_add_overflow(address, after, &end))
		end = UINT64_MAX;
	if (target_read(s->target, start, &byte, 1) != 1)
		start = address;
	add(s, start, end, why);
}

/* The stack from the first frame's stack pointer (and the red zone below it)
 * up over the frames of the faulting thread. */
static void
add_stack(struct session *s, const struct snap_thread *t)
{
	uint64_t sp = t->frames[0].sp, end = sp + MEMORY_FRAME0;

	if (t->frames[0].has_sp == false || end < sp)
		return;
	for (uint32_t i = 1; i < t->n_frames && i < MEMORY_FRAMES; i++) {
		const struct snap_frame *f = &t->frames[i];

		/* Another stack (a signal's) is not a continuation. */
		if (f->has_sp && f->sp > end && f->sp - sp <= MEMORY_STACK)
			end = f->sp;
	}
	add_around(s, sp, MEMORY_RED_ZONE, end - sp, "stack");
}

static bool
is_kept(const struct snapshot *s, const struct range *r)
{
	for (size_t i = 0; i < s->memory.count; i++) {
		const struct snap_memory *m = &s->memory.items[i];

		if (m->address <= r->start && r->end - m->address <= m->size)
			return true;
	}
	return false;
}

static int
by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The ranges of the objects nearest to variables, as many as there is room
 * for; their count. */
static size_t
object_ranges(struct session *s, struct range *out, size_t max)
{
	uint64_t address, size, left = MEMORY_OBJECTS;
	size_t n = 0;

	for (size_t i = 0; n < max && left != 0 &&
	     value_followed(s->reader, i, &address, &size);
	     i++) {
		struct range r = {address, 0};

		if (size > MEMORY_OBJECT)
			size = MEMORY_OBJECT;
		if (size > left)
			size = left;
		if (size == 0 ||
		    __builtin_add_overflow(address, size, &r.end) ||
		    is_kept(s->snapshot, &r))
			continue;
		out[n++] = r;
		left -= size;
	}
	return n;
}

/* The memory behind the objects that variables point to. Those that touch
 * become one piece. */
static void
add_objects(struct session *s)
{
	enum { RANGES = 4096 };
	struct range *ranges, r;
	size_t n, i = 0;

	if (s->reader == NULL)
		return;
	ranges = calloc(RANGES, sizeof(*ranges));
	if (ranges == NULL)
		return;
	n = object_ranges(s, ranges, RANGES);
	if (n != 0)
		qsort(ranges, n, sizeof(*ranges), by_start);
	while (i < n && session_has_time(s)) {
		for (r = ranges[i++]; i < n && ranges[i].start <= r.end; i++) {
			if (ranges[i].end > r.end)
				r.end = ranges[i].end;
		}
		add(s, r.start, r.end, "object");
	}
	free(ranges);
}

void
collect_memory(struct session *s)
{
	const struct snap_thread *t = s->snapshot->threads.items;
	const struct snap_signal *signal = &s->snapshot->signal;

	if (s->snapshot->threads.count == 0 || t->n_frames == 0)
		return;
	add_stack(s, t);
	add_around(s, t->frames[0].ip, MEMORY_CODE, MEMORY_CODE, "code");
	if (signal->present && signal->has_address &&
	    signal->address != t->frames[0].ip)
		add_around(
		    s, signal->address, MEMORY_FAULT, MEMORY_FAULT, "fault");
	add_objects(s);
}

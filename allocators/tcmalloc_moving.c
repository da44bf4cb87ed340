/* SPDX-License-Identifier: MIT */
/*
 * Blocks on their way. A thread that takes a batch from the middle tier or
 * gives one back holds it as a chain in its registers and on its stack, and for
 * that moment no list has it: it looks allocated. So what the words of a thread
 * within the allocator lead to, link by link, may be free; those blocks are
 * marked, for nobody can tell.
 */
#include <stdlib.h>

#include "allocators/tcmalloc.h"

enum {
	REGISTERS = 16,
	STACK_WORDS = 256, /* the allocator's own frames are small */
	CHAIN_MAX = 8192,  /* no batch is longer */
	MOVING_MAX = 1 << 20
};

static uint32_t
class_at(struct tc *tc, uint64_t object)
{
	struct tc_span s;
	bt_addr_t span = object % 8 == 0 ? tc_page_span(tc, object) : 0;

	if (span == 0 || !tc_span_read(tc, span, &s) || s.class == 0 ||
	    s.location != TC_IN_USE || object - s.start >= s.size ||
	    tc->class_size[s.class] == 0 ||
	    (object - s.start) % tc->class_size[s.class] != 0)
		return 0;
	return s.class;
}

static void
follow(struct tc *tc, uint64_t object)
{
	uint32_t class = class_at(tc, object);

	for (unsigned i = 0; class != 0 && i < CHAIN_MAX; i++) {
		if (!tc->host->take(tc->host->ctx, 1) ||
		    !array_grow((void **)&tc->moving, &tc->room_moving,
			tc->n_moving, MOVING_MAX, sizeof(*tc->moving)))
			return;
		tc->moving[tc->n_moving++] = object;
		if (!memory_u64(&tc->nodes, object, &object) ||
		    class_at(tc, object) != class)
			return;
	}
}

static int
compare(const void *a, const void *b)
{
	const bt_addr_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void
tc_moving_read(struct tc *tc, ptrace_thread_t *thread)
{
	uint64_t words[STACK_WORDS], value, sp;
	size_t n = 0;

	for (int i = 0; i < REGISTERS; i++)
		if (ptrace_thread_register(thread, i, &value))
			follow(tc, value);
	if (ptrace_thread_register(thread, PTRACE_REGISTER_SP, &sp))
		n = ptrace_target_read_some(
			tc->target, sp & ~UINT64_C(7), words, sizeof(words)) /
		    8;
	for (size_t i = 0; i < n; i++)
		follow(tc, words[i]);
	if (tc->n_moving > 0)
		qsort(tc->moving, tc->n_moving, sizeof(*tc->moving), compare);
}

bool
tc_is_moving(const struct tc *tc, bt_addr_t object)
{

	return tc->n_moving > 0 &&
	    bsearch(&object, tc->moving, tc->n_moving, sizeof(*tc->moving),
		compare) != NULL;
}

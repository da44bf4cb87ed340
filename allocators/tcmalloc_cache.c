/* SPDX-License-Identifier: MIT */
/*
 * Free lists of gperftools' tcmalloc. A ThreadCache begins with one FreeList of
 * 32 bytes for each of 128 classes: head, length, some limits, and the size of
 * its objects, which tells the sizes of all classes. Between threads and spans
 * there is a tier of up to 64 whole chains for each class (CentralFreeList),
 * found through the lists of spans, which begin and end in it. Objects are
 * linked by their first word, as it is.
 */
#include <stdlib.h>

#include "allocators/tcmalloc.h"

enum {
	LIST_BYTES = 32,
	LIST_LENGTH = 8,
	LIST_SIZE = 24,
	CLASSES_MIN = 40, /* any build has more */
	CENTRAL_SLOTS = 128,
	CENTRAL_USED = 1152,
	SLOTS_MAX = 64,
	CHAIN_MAX = 1 << 16,
	BEYOND = 64,
	SIZE_MAX_CLASS = 1 << 20
};

/* Sizes rise from class to class; unused classes at the end have none. */
bool
tc_cache_sizes(struct tc *tc, bt_addr_t cache, uint32_t *sizes)
{
	uint8_t lists[TC_CLASSES * LIST_BYTES];
	uint32_t n = 1;

	if (ptrace_target_read_some(tc->target, cache, lists, sizeof(lists)) !=
	    sizeof(lists))
		return false;
	memset(sizes, 0, TC_CLASSES * sizeof(*sizes));
	for (; n < TC_CLASSES; n++) {
		uint32_t size;

		memcpy(&size, lists + n * LIST_BYTES + LIST_SIZE, 4);
		if (size == 0)
			break;
		if (size % 8 != 0 || size > SIZE_MAX_CLASS ||
		    (n > 1 && size <= sizes[n - 1]))
			return false;
		sizes[n] = size;
	}
	for (uint32_t i = n; i < TC_CLASSES; i++) {
		uint32_t size;

		memcpy(&size, lists + i * LIST_BYTES + LIST_SIZE, 4);
		if (size != 0)
			return false;
	}
	return n >= CLASSES_MIN && sizes[1] <= 16;
}

void
tc_damaged(struct tc *tc, const struct tc_damage *damage)
{

	if (array_grow((void **)&tc->damage, &tc->room_damage, tc->n_damage,
		TC_DAMAGE_MAX, sizeof(*tc->damage)))
		tc->damage[tc->n_damage++] = *damage;
}

struct list { /* one chain that is being read */
	int32_t thread;
	uint32_t class;
	bool transient;
	const char *name;
};

static void
say(struct tc *tc, const struct list *l, uint32_t check, bt_addr_t word,
    bt_addr_t object, uint64_t expected, uint64_t found)
{
	const ptrace_heap_host_t *host = tc->host;
	struct tc_damage d = {.check = check,
	    .word = word,
	    .object = object,
	    .expected = expected,
	    .found = found,
	    .has_values = true,
	    .transient = l->transient,
	    .thread = l->thread,
	    .class = l->class};

	if (check == PTRACE_HEAP_CHECK_LINK)
		d.text = host->text(host->ctx,
		    "the free list of blocks of %u bytes in the %s leads to "
		    "0x%llx",
		    tc->class_size[l->class], l->name,
		    (unsigned long long)found);
	else
		d.text = host->text(host->ctx,
		    "the %s counts %llu free blocks of %u bytes and has %s",
		    l->name, (unsigned long long)expected,
		    tc->class_size[l->class],
		    found > expected ? "more" : "fewer");
	tc_damaged(tc, &d);
}

/* Reads a chain of `length` objects, the last of which is `tail` (0: whose
 * link is null). One that goes on is followed a bit further: a block that was
 * freed twice makes a ring, and the count may have come down to nothing. */
static void
read_chain(struct tc *tc, const struct list *l, bt_addr_t word, uint64_t object,
    uint64_t length, bt_addr_t tail)
{
	uint64_t count = 0;

	for (; object != 0 && count < length + BEYOND; count++) {
		uint64_t next;

		if (object % 8 != 0 || object >> 47 != 0 ||
		    !memory_u64(&tc->nodes, object, &next)) {
			say(tc, l, PTRACE_HEAP_CHECK_LINK, word,
			    count > 0 ? word : 0, 0, object);
			return;
		}
		if (!tc->host->take(tc->host->ctx, 1) ||
		    !array_grow((void **)&tc->cached, &tc->room_cached,
			tc->n_cached, TC_CACHED_MAX, sizeof(*tc->cached)))
			return;
		tc->cached[tc->n_cached++] = (struct tc_cached){
		    .pointer = object,
		    .link = word,
		    .thread = l->thread,
		    .class = l->class};
		if (object == tail)
			return;
		word = object;
		object = next;
	}
	if (tail == 0 && (object != 0 || count != length))
		say(tc, l, PTRACE_HEAP_CHECK_COUNT, word, 0, length, count);
}

void
tc_cache_read(struct tc *tc, uint32_t thread)
{
	const struct tc_thread *t = &tc->threads[thread];

	for (uint32_t class = 1; class < TC_CLASSES; class ++) {
		bt_addr_t list = t->cache + class * LIST_BYTES;
		struct list l = {.thread = (int32_t)thread,
		    .class = class,
		    .transient = t->inside,
		    .name = t->place};
		uint64_t head, length;

		if (tc->class_size[class] == 0)
			return;
		if (memory_u64(&tc->memory, list, &head) &&
		    memory_u64(&tc->memory, list + LIST_LENGTH, &length))
			read_chain(tc, &l, list, head, (uint32_t)length, 0);
	}
}

void
tc_central_read(struct tc *tc, uint32_t class)
{
	struct list l = {.thread = TC_NO_THREAD,
	    .class = class,
	    .transient = tc->class_locked[class] || tc->busy,
	    .name = tc->class_place[class]};
	bt_addr_t central = tc->central[class];
	uint64_t used;

	if (central == 0 ||
	    !memory_u64(&tc->memory, central + CENTRAL_USED, &used))
		return;
	used = (uint32_t)used;
	for (uint64_t i = 0; i < used && i < SLOTS_MAX; i++) {
		bt_addr_t slot = central + CENTRAL_SLOTS + i * 16;
		uint64_t head, tail;

		if (memory_u64(&tc->memory, slot, &head) &&
		    memory_u64(&tc->memory, slot + 8, &tail))
			read_chain(tc, &l, slot, head, CHAIN_MAX, tail);
	}
}

void
tc_cache_sort(struct tc *tc)
{

	array_sort(tc->cached, tc->n_cached, sizeof(*tc->cached));
}

size_t
tc_cache_index(const struct tc *tc, bt_addr_t pointer)
{

	return array_index(
	    tc->cached, tc->n_cached, sizeof(*tc->cached), pointer);
}

const struct tc_cached *
tc_cache_entry(const struct tc *tc, bt_addr_t pointer)
{
	size_t i = tc_cache_index(tc, pointer);

	return i < tc->n_cached && tc->cached[i].pointer == pointer
	    ? &tc->cached[i]
	    : NULL;
}

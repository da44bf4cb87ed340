/* SPDX-License-Identifier: MIT */
/*
 * The thread caches. libc keeps a pointer to the cache of a thread, and one to
 * its arena, in thread-local variables without symbols. But libc's block lies
 * at the same distance from every thread pointer, so the two words are found by
 * what they point to, in a vote of some threads, and then read for all.
 */
#include <stdlib.h>

#include "allocators/ptmalloc.h"

enum {
	SEARCH_NEAR = 4096, /* bytes below the thread pointer */
	SEARCH_FAR = 65536,
	VOTERS = 64,
	SLOTS = SEARCH_FAR / 8
};

struct votes {
	uint32_t cache[SLOTS], arena[SLOTS]; /* by distance in words */
};

static bool
thread_pointer(ptrace_thread_t *t, uint64_t *out)
{

	return t != NULL &&
	    ptrace_thread_register(t, PTRACE_REGISTER_THREAD_POINTER, out) &&
	    *out % 8 == 0;
}

/* How much a word looks like a pointer to a cache: 0, or more the more lists of
 * it are in use. */
static unsigned
cache_likeness(struct ptmalloc *p, uint64_t value)
{
	const struct pt_layout *l = &p->layout;
	unsigned good = 0, used = 0;
	uint64_t header[2];

	if (value % CHUNK_ALIGN != 0 || value < CHUNK_HEADER ||
	    pt_segment_at(p, value) == NULL ||
	    !memory_pair(&p->memory, value - CHUNK_HEADER, header) ||
	    (header[1] & ~(uint64_t)CHUNK_FLAGS) != l->tcache_chunk)
		return 0;
	for (unsigned i = 0; i < TCACHE_BINS; i++) {
		uint64_t entry;
		uint32_t count;

		if (!memory_u64(&p->memory, value + l->tcache_entries + 8 * i,
			&entry) ||
		    !memory_u32(&p->memory,
			(value + l->tcache_count * i) & ~UINT64_C(3), &count))
			return 0;
		count = count >> 8 * (l->tcache_count * i % 4) &
		    (l->tcache_count == 1 ? 0xff : 0xffff);
		if (entry == 0 && count == 0) {
			good++;
		} else if (entry != 0 && count != 0 &&
		    entry % CHUNK_ALIGN == 0 &&
		    pt_segment_at(p, entry) != NULL) {
			/* A block of that size with anything in it (the stack
			 * is searched as well) has words, but no pointers. */
			good++;
			used++;
		}
	}
	/* Some may be damaged. */
	return good > TCACHE_BINS - 8 ? 1 + used : 0;
}

static void
vote_for(struct ptmalloc *p, uint64_t value, uint32_t slot, struct votes *v)
{

	if (value == 0)
		return;
	if (p->layout.tcache_chunk != 0)
		v->cache[slot] += cache_likeness(p, value);
	v->arena[slot] += pt_arena_index(p, value) >= 0;
}

/* The words below a thread pointer, mostly zeros. Mostly, too, they lie in one
 * piece; going down word by word, and to where each points, would move the
 * window each time. */
static void
vote(struct ptmalloc *p, uint64_t tp, uint32_t from, uint32_t to,
    struct votes *v)
{
	size_t size = 8 * (size_t)(to - from);
	uint64_t start = tp - 8 * (uint64_t)to, value;
	const unsigned char *bytes;

	if (!p->memory.live &&
	    ptrace_target_view(p->memory.target, start, size, &bytes) == size) {
		for (uint32_t i = from; i < to; i++) {
			memcpy(&value, bytes + 8 * (size_t)(to - 1 - i),
			    sizeof(value));
			vote_for(p, value, i, v);
		}
		return;
	}
	for (uint32_t i = from; i < to; i++) {
		if (!memory_u64(&p->memory, tp - 8 * (uint64_t)(i + 1), &value))
			return;
		vote_for(p, value, i, v);
	}
}

static int64_t
winner(const uint32_t *votes)
{
	uint32_t best = 0;
	int64_t slot = -1;

	for (uint32_t i = 0; i < SLOTS; i++)
		if (votes[i] > best) {
			best = votes[i];
			slot = i;
		}
	return slot < 0 ? 0 : -8 * (slot + 1);
}

/* The thread pointers of some, the process's first thread among them: it has
 * started the others, and for that asked for memory. */
static uint32_t
find_voters(struct ptmalloc *p, uint64_t *out)
{
	uint32_t n = ptrace_backtrace_n_threads(p->host->backtrace), count = 0;
	int32_t pid = ptrace_target_pid(p->host->target);
	bool seen = false;

	for (uint32_t i = 0; i < n; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(
		    p->host->backtrace, i);
		bool first = t != NULL && (int32_t)ptrace_thread_tid(t) == pid;

		if ((first || count < VOTERS - 1) &&
		    thread_pointer(t, &out[count]))
			count++;
		seen = seen || first;
		if (seen && count >= VOTERS - 1)
			break;
	}
	return count;
}

/* Distances from the thread pointer; 0: not found. Both lie in libc's block:
 * where one is, the other is not far. */
static void
find_slots(struct ptmalloc *p, int64_t *cache, int64_t *arena)
{
	static const uint32_t ranges[] = {0, SEARCH_NEAR / 8, SLOTS};
	struct votes *v = calloc(1, sizeof(*v));
	uint64_t voters[VOTERS];
	uint32_t n = find_voters(p, voters);

	*cache = *arena = 0;
	for (unsigned r = 0; v != NULL && r < 2 && *cache == 0 && *arena == 0;
	     r++) {
		for (uint32_t i = 0; i < n; i++)
			vote(p, voters[i], ranges[r], ranges[r + 1], v);
		*cache = winner(v->cache);
		*arena = winner(v->arena);
	}
	free(v);
}

static void
add_cache(
    struct ptmalloc *p, ptrace_thread_t *t, bt_addr_t address, size_t *room)
{
	struct pt_cache *c;

	for (uint32_t i = 0; i < p->n_caches && p->n_caches < 64; i++)
		if (p->caches[i].address == address)
			return;
	if (!array_grow((void **)&p->caches, room, p->n_caches, THREADS_MAX,
		sizeof(*c)))
		return;
	c = &p->caches[p->n_caches++];
	*c = (struct pt_cache){
	    .address = address, .tid = (int32_t)ptrace_thread_tid(t)};
}

/* A thread keeps to one arena while that is not locked by others. */
static void
attach(struct ptmalloc *p, ptrace_thread_t *t, bt_addr_t arena)
{
	enum { ARENAS_NAMED = 512 }; /* each is looked for among all */
	int i = p->n_arenas <= ARENAS_NAMED ? pt_arena_index(p, arena) : -1;

	if (i < 0)
		return;
	if (p->arenas[i].threads++ == 0)
		p->arenas[i].tid = (int32_t)ptrace_thread_tid(t);
}

void
pt_caches(struct ptmalloc *p)
{
	uint32_t n = ptrace_backtrace_n_threads(p->host->backtrace);
	int64_t cache, arena;
	size_t room = 0;

	find_slots(p, &cache, &arena);
	for (uint32_t i = 0; i < n && (cache != 0 || arena != 0); i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(
		    p->host->backtrace, i);
		uint64_t tp, value;

		if (!thread_pointer(t, &tp))
			continue;
		if (arena != 0 &&
		    memory_u64(&p->memory, tp + (uint64_t)arena, &value))
			attach(p, t, value);
		if (cache != 0 &&
		    memory_u64(&p->memory, tp + (uint64_t)cache, &value) &&
		    value != 0 && value % CHUNK_ALIGN == 0 &&
		    pt_segment_at(p, value) != NULL)
			add_cache(p, t, value, &room);
	}
	pt_busy(p, arena);
}

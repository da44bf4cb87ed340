/* SPDX-License-Identifier: MIT */
/*
 * musl's allocator: which block holds an address, and all blocks in order.
 */
#include <stdlib.h>

#include "allocators/musl.h"
#include "allocators/owner.h"

enum {
	IS_MOVED = 7 << 5, /* the block begins later in its slot */
	IS_GROUP = 6,	   /* kind of a slot that holds a group */
	IS_LONG = 5,	   /* the rest is counted in four bytes at the end */
	LOOK_BACK = 256	   /* units, for the start of a freed block */
};

static bool
bytes_at(struct mu *mu, bt_addr_t address, void *out, size_t size)
{

	if (!memory_has(&mu->blocks, address, size) &&
	    !memory_move(&mu->blocks, address, size))
		return false;
	memcpy(out, mu->blocks.bytes + (address - mu->blocks.start), size);
	return true;
}

static void
wrong(struct mu_slot *s, bt_addr_t at, uint8_t found)
{

	s->sound = false;
	s->bad = at;
	s->found = found;
}

/* The four bytes before a block: null unless the group is far, the slot's
 * number and how much of the slot is left over, and the distance in units. */
static void
check_header(struct mu *mu, const struct mu_group *g, uint32_t i,
    const uint8_t h[4], struct mu_slot *s)
{
	uint64_t units = (s->start - (g->mem + MU_UNIT)) / MU_UNIT;
	uint32_t far;
	uint16_t near;

	memcpy(&near, h + 2, sizeof(near));
	if ((h[1] & 31) != i) {
		wrong(s, s->start - 3, h[1]);
	} else if (h[0] == 0 ? near != units : near != 0) {
		wrong(s, s->start - 2, h[2]);
	} else if (h[0] > 1) {
		wrong(s, s->start - 4, h[0]);
	} else if (h[0] == 1 &&
	    (!bytes_at(mu, s->start - 8, &far, sizeof(far)) || far != units)) {
		wrong(s, s->start - 8, (uint8_t)far);
	}
}

static void
read_size(struct mu *mu, uint8_t kind, struct mu_slot *s)
{
	uint64_t room = s->end - s->start, rest = kind;
	uint32_t count;
	uint8_t after;

	s->usable = room;
	if (kind > IS_LONG) {
		wrong(s, s->start - 3, (uint8_t)(kind << 5));
		return;
	}
	if (kind == IS_LONG) {
		if (!bytes_at(mu, s->end - 4, &count, sizeof(count)))
			return;
		if (count > room || count < IS_LONG) {
			wrong(s, s->end - 4, (uint8_t)count);
			return;
		}
		rest = count;
	}
	s->usable = room - rest;
	/* The byte behind the block is kept null to tell when it was run
	 * over; without a rest it is the first of the next header. */
	if (bytes_at(mu, s->end - rest, &after, 1) && after != 0) {
		s->overrun = true;
		wrong(s, s->end - rest, after);
	}
}

bool
mu_slot_read(
    struct mu *mu, const struct mu_group *g, uint32_t i, struct mu_slot *out)
{
	uint8_t h[4];
	uint16_t units;

	memset(out, 0, sizeof(*out));
	out->slot = out->start = g->mem + MU_UNIT + g->stride * i;
	out->end = out->slot + g->stride - MU_HEADER;
	out->usable = out->end - out->slot;
	out->sound = true;
	if (mu_is_used(g, i) == false)
		return true;
	if (!bytes_at(mu, out->slot - MU_HEADER, h, sizeof(h)))
		return false;
	if (h[1] == IS_MOVED) {
		memcpy(&units, h + 2, sizeof(units));
		if ((uint64_t)units * MU_UNIT > out->end - out->slot) {
			wrong(out, out->slot - 2, h[2]);
			return true;
		}
		out->start += (uint64_t)units * MU_UNIT;
		out->usable = out->end - out->start;
		if (!bytes_at(mu, out->start - MU_HEADER, h, sizeof(h)))
			return false;
	}
	if (h[1] >> 5 == IS_GROUP) {
		out->group = true;
		return true;
	}
	check_header(mu, g, i, h, out);
	if (out->sound)
		read_size(mu, h[1] >> 5, out);
	return true;
}

static void
fill(struct mu *mu, const struct mu_group *g, uint32_t i,
    const struct mu_slot *s, ptrace_heap_block_t *out)
{

	out->allocator = "musl";
	out->place = "";
	out->start = s->start;
	out->usable = s->usable;
	out->offset = 0;
	out->chunk = s->slot - MU_HEADER;
	out->extent = g->stride;
	out->arena = 0;
	out->cache_tid = 0;
	out->mapped = g->class == MU_SINGLE;
	out->damaged = s->sound == false;
	out->transient = mu->busy;
	out->state = PTRACE_HEAP_ALLOCATED;
	if (mu_is_used(g, i) == false) {
		out->state = PTRACE_HEAP_FREE;
		out->place = (g->freed >> i & 1) != 0 ? "freed slot"
						      : "free slot";
	} else if (s->group) {
		out->state = PTRACE_HEAP_METADATA;
		out->place = "group of smaller blocks";
	}
}

/* A block that is freed has the slot's number in front of it made 255, and its
 * distance 0. Whatever has become of its slot since (the group may be part of
 * a larger free slot now), an address of which that is true was a block. */
static bool
was_block(struct mu *mu, bt_addr_t address)
{
	uint8_t h[4];

	return address % MU_UNIT == 0 &&
	    bytes_at(mu, address - MU_HEADER, h, sizeof(h)) && h[1] == 255 &&
	    h[2] == 0 && h[3] == 0;
}

/* The nearest such block at or below the address, within its free slot. */
static void
find_block(struct mu *mu, const struct mu_slot *s, bt_addr_t address,
    ptrace_heap_block_t *out)
{
	bt_addr_t at = address & ~(bt_addr_t)(MU_UNIT - 1);

	for (unsigned i = 0; i < LOOK_BACK && at > s->start && at < s->end;
	     i++, at -= MU_UNIT) {
		if (was_block(mu, at) == false)
			continue;
		out->start = at;
		out->usable = s->end - at;
		return;
	}
}

static bool
mu_at(void *allocator, bt_addr_t address, ptrace_heap_block_t *out)
{
	struct mu *mu = allocator;
	const struct mu_group *g = mu_group_at(mu, address);
	struct mu_slot s;
	uint64_t i;

	if (g == NULL)
		return false;
	i = address < g->mem + MU_UNIT - MU_HEADER
	    ? 0
	    : (address - (g->mem + MU_UNIT - MU_HEADER)) / g->stride;
	if (i > g->last || !mu_slot_read(mu, g, (uint32_t)i, &s))
		return false;
	fill(mu, g, (uint32_t)i, &s, out);
	if (mu_is_used(g, (uint32_t)i) == false)
		find_block(mu, &s, address, out);
	out->offset = (int64_t)(address - out->start);
	return true;
}

static bool
neighbour(struct mu *mu, const ptrace_heap_block_t *block, int step,
    ptrace_heap_block_t *out)
{
	const struct mu_group *g = mu_group_at(mu, block->chunk + MU_HEADER);
	struct mu_slot s;
	int64_t i;

	if (g == NULL)
		return false;
	i = (int64_t)((block->chunk + MU_HEADER - g->mem - MU_UNIT) /
		g->stride) +
	    step;
	if (i < 0 || i > g->last || !mu_slot_read(mu, g, (uint32_t)i, &s))
		return false;
	fill(mu, g, (uint32_t)i, &s, out);
	return true;
}

static bool
mu_before(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{

	return neighbour(allocator, block, -1, out);
}

static bool
mu_after(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{

	return neighbour(allocator, block, 1, out);
}

/* A slot that holds a group is told by the group's own blocks. */
bool
mu_walk(void *allocator, ptrace_heap_visit_fn *visit, void *ctx)
{
	struct mu *mu = allocator;
	ptrace_heap_block_t block = PTRACE_HEAP_BLOCK_INIT;
	bool whole = true;

	for (size_t k = 0; k < mu->n_groups; k++) {
		const struct mu_group *g = &mu->groups[k];

		if (!mu->host->take(mu->host->ctx, g->last + 1u))
			return false;
		for (uint32_t i = 0; i <= g->last; i++) {
			struct mu_slot s;

			if (!mu_slot_read(mu, g, i, &s)) {
				whole = false;
				continue;
			}
			if (s.group)
				continue;
			fill(mu, g, i, &s, &block);
			if (!visit(ctx, &block))
				return whole;
		}
	}
	return whole && mu->damaged_area == false;
}

/* ---- opening ---- */

static void
mu_close(void *allocator)
{
	struct mu *mu = allocator;

	free(mu->groups);
	free(mu);
}

static void *
mu_open(const ptrace_heap_host_t *host)
{
	struct mu *mu = calloc(1, sizeof(*mu));

	if (mu == NULL)
		return NULL;
	mu->host = host;
	mu->target = host->target;
	memory_init(&mu->memory, host->target);
	memory_init(&mu->blocks, host->target);
	if (mu_find(mu))
		return mu;
	mu_close(mu);
	return NULL;
}

static bool
mu_interposes(void *allocator)
{
	struct mu *mu = allocator;

	return owner_is(mu->target, &mu->module);
}

extern const ptrace_allocator_t ptrace_allocator_musl;
const ptrace_allocator_t ptrace_allocator_musl = {
    .size = sizeof(ptrace_allocator_t),
    .name = "musl",
    .open = mu_open,
    .close = mu_close,
    .interposes = mu_interposes,
    .at = mu_at,
    .before = mu_before,
    .after = mu_after,
    .walk = mu_walk,
    .check = mu_check};

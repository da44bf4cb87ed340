/* SPDX-License-Identifier: MIT */
/*
 * Where a value's bytes come from. Memory is read in place through a small
 * cache of windows, because nearly all variables lie on the same few stack
 * pages and a look-up of the mapping costs more than the variable.
 */
#include "value/value_private.h"

const char value_optimized_out[] = "optimized out";
const char value_not_saved[] = "register not saved";
const char value_limit[] = "limit";

static const char *const state_reasons[BYTE__COUNT] = {
    [BYTE_OPTIMIZED_OUT] = value_optimized_out,
    [BYTE_NOT_SAVED] = value_not_saved,
    [BYTE_UNREADABLE] = "unreadable",
    [BYTE_IMPLICIT] = "synthetic pointer",
    [BYTE_UNDESCRIBED] = value_optimized_out,
};

void
source_none(struct source *s, const char *reason)
{
	s->kind = SOURCE_NONE;
	s->reason = reason;
	s->implicit = NULL;
}

static struct window *
window_of(struct value_reader *r, uint64_t address)
{
	return &r->windows[address / VALUE_PAGE & (VALUE_WINDOWS - 1)];
}

void
source_memory(struct value_reader *r, struct source *s, uint64_t address)
{
	const struct window *w = window_of(r, address);
	uint64_t skip = address - w->address;

	s->kind = SOURCE_MEMORY;
	s->address = address;
	s->implicit = NULL;
	s->size = 0;
	if (skip < w->size) {
		s->bytes = w->data + skip;
		s->size = w->size - skip;
	}
}

void
source_bytes(
    struct value_reader *r, struct source *s, const void *bytes, uint64_t size)
{
	uint8_t *copy = s->small;

	if (size > sizeof(s->small))
		copy = size <= VALUE_BYTES_MAX ? arena_alloc(&r->scratch, size)
					       : NULL;
	if (copy == NULL) {
		source_none(s, value_limit);
		return;
	}
	if (size != 0)
		memcpy(copy, bytes, size);
	s->kind = SOURCE_BYTES;
	/* NULL: the bytes are in `small`, wherever the source is copied to. */
	s->bytes = copy == s->small ? NULL : copy;
	s->size = size;
	s->state = NULL;
	s->implicit = NULL;
}

static const uint8_t *
window_fill(
    struct value_reader *r, struct window *w, uint64_t address, size_t size)
{
	uint64_t page = address & ~(uint64_t)(VALUE_PAGE - 1), skip;

	w->size = target_view(r->target, page, VALUE_WINDOW_SIZE, &w->data);
	w->address = page;
	skip = address - page;
	if (w->size < skip || w->size - skip < size)
		return NULL;
	return w->data + skip;
}

/* size bytes of target memory, in place or copied into the buffer; NULL when
 * not all of them can be read. */
const uint8_t *
value_memory(
    struct value_reader *r, uint64_t address, size_t size, void *buffer)
{
	struct window *w = window_of(r, address);
	uint64_t skip = address - w->address;
	const uint8_t *found;

	if (skip < w->size && w->size - skip >= size)
		return w->data + skip;
	found = window_fill(r, w, address, size);
	if (found != NULL || buffer == NULL)
		return found;
	if (target_read(r->target, address, buffer, size) != size)
		return NULL;
	return buffer;
}

const char *
value_unreadable(struct value_reader *r, uint64_t address)
{
	const char *text = snapshot_printf(
	    r->snapshot, "unreadable 0x%llx", (unsigned long long)address);

	return text != NULL && text[0] != '\0' ? text : "unreadable";
}

static const char *
missing_state(const struct source *s, uint64_t offset, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t state = s->state[offset + i];

		if (state != BYTE_THERE)
			return state < BYTE__COUNT ? state_reasons[state]
						   : value_optimized_out;
	}
	return NULL;
}

const uint8_t *
source_fetch(struct value_reader *r, const struct source *s, uint64_t offset,
    size_t size, void *buffer, const char **reason)
{
	const uint8_t *found;

	switch (s->kind) {
	case SOURCE_MEMORY:
		found = value_memory(r, s->address + offset, size, buffer);
		if (found == NULL && buffer != NULL)
			*reason = value_unreadable(r, s->address + offset);
		return found;
	case SOURCE_BYTES:
		if (offset > s->size || size > s->size - offset) {
			*reason = value_optimized_out;
			return NULL;
		}
		if (s->state != NULL &&
		    (*reason = missing_state(s, offset, size)) != NULL)
			return NULL;
		return (s->bytes != NULL ? s->bytes : s->small) + offset;
	default:
		*reason = s->reason;
		return NULL;
	}
}

bool
source_byte_missing(const struct source *s, uint64_t offset)
{
	return s->state != NULL && s->state[offset] != BYTE_THERE &&
	    s->gaps[offset] == 0xff;
}

/* Of bytes that are there in part, the bits asked for may be. */
static bool
has_bits(
    const struct source *s, uint64_t bit, unsigned width, const char **reason)
{
	for (uint64_t i = bit / 8; i <= (bit + width - 1) / 8; i++) {
		unsigned from = i == bit / 8 ? bit % 8 : 0;
		unsigned to = i == (bit + width - 1) / 8
		    ? (unsigned)((bit + width - 1) % 8)
		    : 7;
		unsigned wanted = (0xffu << from) & (0xffu >> (7 - to));

		if (i >= s->size) {
			*reason = value_optimized_out;
			return false;
		}
		if (s->state[i] != BYTE_THERE && (s->gaps[i] & wanted) != 0) {
			*reason = missing_state(s, i, 1);
			return false;
		}
	}
	return true;
}

bool
source_bits(struct value_reader *r, const struct source *s, uint64_t bit,
    unsigned width, uint64_t *out, const char **reason)
{
	unsigned shift = bit % 8;
	size_t size = (shift + width + 7) / 8;
	const uint8_t *p;
	uint8_t room[9];

	if (s->kind == SOURCE_BYTES && s->state != NULL) {
		if (has_bits(s, bit, width, reason) == false)
			return false;
		p = s->bytes + bit / 8;
	} else {
		p = source_get(r, s, bit / 8, size, room, reason);
		if (p == NULL)
			return false;
	}
	*out = scalar_u64(p, size) >> shift;
	if (size == 9)
		*out |= (uint64_t)p[8] << (64 - shift);
	if (width < 64)
		*out &= (UINT64_C(1) << width) - 1;
	return true;
}

const struct implicit *
source_implicit(const struct source *s, uint64_t offset, uint64_t size)
{
	for (const struct implicit *i = s->implicit; i != NULL; i = i->next) {
		if (i->offset == offset && (i->size == size || i->size == 0))
			return i;
	}
	return NULL;
}

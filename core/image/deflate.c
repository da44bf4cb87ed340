/* SPDX-License-Identifier: MIT */
/*
 * Inflating: the symbols of a block. While there are 16 bytes of input and room
 * for the longest match, they are decoded without a check for each (run_fast):
 * one check a turn covers what a turn can read and write. The rest goes byte by
 * byte (slow_symbol).
 */
#include "base/cpu.h"
#include "image/deflate_private.h"

enum {
	/* A turn of the fast loop writes three literals, or two and a match;
	 * it reads at most 16 bytes. */
	FAST_OUT = 2 + MATCH_MAX + COPY,
	FAST_IN = 16
};

void
deflate_go_to(struct deflate *d, uint64_t bit)
{
	d->bits = d->n_bits = 0;
	d->next = d->end;
	if (bit / 8 >= (uint64_t)(d->end - d->start))
		return;
	d->next = d->start + bit / 8;
	d->bits = (uint64_t)*d->next++ >> bit % 8;
	d->n_bits = 8 - bit % 8;
}

bool
deflate_init(struct deflate *d, struct view in, uint64_t bit)
{
	if (bit / 8 >= in.size)
		return false;
	d->start = in.data;
	d->end = in.data + in.size;
	deflate_go_to(d, bit);
	d->at = DEFLATE_HEADER;
	d->last = d->failed = false;
	d->stored = d->match = d->distance = 0;
	return true;
}

bool
deflate_block(const struct deflate *d, uint64_t *bit)
{
	*bit = (uint64_t)(d->next - d->start) * 8 - d->n_bits;
	return d->at == DEFLATE_HEADER && d->failed == false;
}

/* What an entry says its symbol's number is, with the extra bits. */
static inline uint32_t
number(uint32_t entry, uint64_t bits)
{
	uint64_t own = bits & ((UINT64_C(1) << (entry & 0xff)) - 1);

	return (entry >> 16) + (uint32_t)(own >> ((entry >> 8) & 0xf));
}

/* Of run_fast_body, whose variables they are. */

/* Bits above n are those of the next byte already; to have them there again
 * changes nothing. */
#define REFILL() (bits |= load_word(next) << n, next += (63 - n) >> 3, n |= 56)
#define DROP(ENTRY) (bits >>= (uint8_t)(ENTRY), n -= (uint8_t)(ENTRY))

#define LITERAL_ENTRY() literals[low(bits, DEFLATE_LITERAL_BITS)]
#define EMIT(ENTRY) (*to++ = (uint8_t)((ENTRY) >> 16))

/* Nothing happens when it is not a literal: whether the second of two is one
 * cannot be foretold, and a wrong guess costs more than what is done in vain.
 */
#define LITERAL_PERHAPS()                                                      \
	do {                                                                   \
		uint32_t is_literal = entry >> 31;                             \
		uint32_t taken = entry & 0xff & -is_literal;                   \
                                                                               \
		*to = (uint8_t)(entry >> 16);                                  \
		to += is_literal;                                              \
		bits >>= taken;                                                \
		n -= taken;                                                    \
		entry = LITERAL_ENTRY();                                       \
	} while (0)

/*
 * DEFLATE_MORE: go on with slow_symbol; else as deflate_run. The state is in
 * local variables, where the compiler can keep it in registers. With a room
 * (there is one or there is none when this is compiled) only literals are
 * written to the output, which is the room's then, and of matches what they
 * are.
 */
static inline __attribute__((always_inline)) enum deflate_status
run_fast_body(struct deflate *d, uint8_t *out, size_t *pos, size_t end,
    struct deflate_room *room)
{
	const uint8_t *next = d->next, *in_end = d->end - FAST_IN;
	const uint32_t *literals = d->literals;
	uint8_t *to = out + *pos, *out_end = out + end - FAST_OUT;
	uint64_t bits = d->bits, saved;
	unsigned n = d->n_bits;
	enum deflate_status status = DEFLATE_MORE;
	uint32_t entry, length, distance;
	struct deflate_token *token = room != NULL ? room->items + room->n
						   : NULL;
	const struct deflate_token *token_end =
	    room != NULL ? room->items + room->max : NULL;
	const uint8_t *literal = to; /* the first since the last match */

	/* A turn begins with 56 bits and the entry of the next symbol, which
	 * was looked up while the last match was being copied. */
	REFILL();
	entry = LITERAL_ENTRY();
	while (next <= in_end && to <= out_end &&
	    (room == NULL || token < token_end)) {
		if ((entry & ENTRY_LITERAL) != 0) {
			DROP(entry);
			EMIT(entry);
			entry = LITERAL_ENTRY();
			LITERAL_PERHAPS();
			REFILL();
			if ((entry & ENTRY_LITERAL) != 0) {
				DROP(entry);
				EMIT(entry);
				entry = LITERAL_ENTRY();
				REFILL();
				continue;
			}
		}
		if ((entry & ENTRY_OTHER) != 0) {
			if ((entry & ENTRY_LEVEL) != 0) {
				DROP(entry);
				entry = literals[(entry >> 16) +
				    low(bits, (entry >> 8) & 0xf)];
			}
			if ((entry & ENTRY_LITERAL) != 0) {
				DROP(entry);
				EMIT(entry);
				REFILL();
				entry = LITERAL_ENTRY();
				continue;
			}
			if ((entry & ENTRY_OTHER) != 0) {
				DROP(entry);
				status = (entry & ENTRY_END) != 0
				    ? DEFLATE_END
				    : DEFLATE_DAMAGED;
				break;
			}
		}
		saved = bits;
		DROP(entry);
		length = number(entry, saved);
		/* 15 + 5 bits of 56 are gone; the distance needs 28. */
		entry = d->distances[low(bits, DEFLATE_DISTANCE_BITS)];
		if ((entry & ENTRY_OTHER) != 0) {
			if ((entry & ENTRY_LEVEL) != 0) {
				DROP(entry);
				entry = d->distances[(entry >> 16) +
				    low(bits, (entry >> 8) & 0xf)];
			}
			if ((entry & ENTRY_OTHER) != 0) {
				status = DEFLATE_DAMAGED;
				break;
			}
		}
		saved = bits;
		DROP(entry);
		distance = number(entry, saved);
		if (room == NULL && distance > (size_t)(to - out)) {
			status = DEFLATE_DAMAGED;
			break;
		}
		REFILL();
		entry = LITERAL_ENTRY();
		if (room == NULL) {
			copy_match(to, distance, length);
			to += length;
		} else {
			*token++ = (struct deflate_token){
			    (uint32_t)(to - literal), (uint16_t)length,
			    (uint16_t)distance};
			literal = to;
		}
	}
	d->next = next;
	/* Those above n belong to bytes that are not counted as read. */
	d->bits = bits & ((UINT64_C(1) << n) - 1);
	d->n_bits = n;
	*pos = (size_t)(to - out);
	if (room != NULL) {
		if (token == token_end)
			return DEFLATE_MORE;
		*token++ = (struct deflate_token){
		    (uint32_t)(to - literal), 0, 0};
		room->n = (size_t)(token - room->items);
	}
	return status;
}

#undef LITERAL_PERHAPS
#undef EMIT
#undef LITERAL_ENTRY
#undef DROP
#undef REFILL

static enum deflate_status
run_fast_plain(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	return run_fast_body(d, out, pos, end, NULL);
}

static enum deflate_status
tokens_plain(struct deflate *d, struct deflate_room *r)
{
	return run_fast_body(
	    d, r->literals, &r->n_literals, r->max_literals, r);
}

/* Shifts by a variable in one instruction: a tenth of the time. */
__attribute__((target("bmi,bmi2"))) static enum deflate_status
run_fast_bmi2(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	return run_fast_body(d, out, pos, end, NULL);
}

__attribute__((target("bmi,bmi2"))) static enum deflate_status
tokens_bmi2(struct deflate *d, struct deflate_room *r)
{
	return run_fast_body(
	    d, r->literals, &r->n_literals, r->max_literals, r);
}

static enum deflate_status
run_fast(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	if (d->end - d->next < FAST_IN || end - *pos < FAST_OUT)
		return DEFLATE_MORE;
	return CPU_HAS_BMI2 ? run_fast_bmi2(d, out, pos, end)
			    : run_fast_plain(d, out, pos, end);
}

/* One symbol's entry, its code's bits taken, its extra bits not; ENTRY_OTHER:
 * not a number. */
static uint32_t
slow_entry(struct deflate *d, const uint32_t *table, unsigned root, uint32_t *n)
{
	uint32_t entry;

	deflate_refill(d);
	entry = table[low(d->bits, root)];
	if ((entry & ENTRY_LITERAL) == 0 && (entry & ENTRY_LEVEL) != 0) {
		(void)deflate_take(d, entry & 0xff);
		entry = table[(entry >> 16) + low(d->bits, (entry >> 8) & 0xf)];
	}
	*n = number(entry, d->bits);
	/* An unused code has no bits; they would never end. */
	if ((entry & 0xff) == 0)
		d->failed = true;
	(void)deflate_take(d, entry & 0xff);
	return entry;
}

/* Until the end of the output or the block: DEFLATE_MORE, DEFLATE_END; one
 * symbol at least. */
static enum deflate_status
slow_symbol(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	uint32_t n,
	    entry = slow_entry(d, d->literals, DEFLATE_LITERAL_BITS, &n);

	if (d->failed)
		return DEFLATE_DAMAGED;
	if ((entry & ENTRY_LITERAL) != 0) {
		out[(*pos)++] = (uint8_t)(entry >> 16);
		return DEFLATE_MORE;
	}
	if ((entry & ENTRY_OTHER) != 0)
		return (entry & ENTRY_END) != 0 ? DEFLATE_END : DEFLATE_DAMAGED;
	d->match = n;
	entry = slow_entry(d, d->distances, DEFLATE_DISTANCE_BITS, &n);
	d->distance = n;
	if (d->failed || (entry & ENTRY_OTHER) != 0 || n > *pos)
		return DEFLATE_DAMAGED;
	deflate_run_match(d, out, pos, end);
	return DEFLATE_MORE;
}

/* Symbols until the output is full or the block ends. */
static enum deflate_status
run_codes(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	enum deflate_status status = DEFLATE_MORE;

	deflate_run_match(d, out, pos, end);
	while (status == DEFLATE_MORE && *pos < end) {
		status = run_fast(d, out, pos, end);
		if (status == DEFLATE_MORE && *pos < end)
			status = slow_symbol(d, out, pos, end);
	}
	return status;
}

static enum deflate_status
run_stored(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	size_t n = d->stored;

	if (n > (size_t)(d->end - d->next))
		return DEFLATE_DAMAGED;
	if (n > end - *pos)
		n = end - *pos;
	memcpy(out + *pos, d->next, n);
	d->next += n;
	*pos += n;
	d->stored -= (uint32_t)n;
	return d->stored > 0 ? DEFLATE_MORE : DEFLATE_END;
}

enum deflate_status
deflate_run(
    struct deflate *d, uint8_t *out, size_t *pos, size_t end, bool blocks)
{
	enum deflate_status status = DEFLATE_END;

	while (d->failed == false) {
		if (d->at == DEFLATE_OVER)
			return DEFLATE_END;
		if (d->at == DEFLATE_HEADER) {
			if (!deflate_header(d))
				break;
		}
		status = d->at == DEFLATE_STORED ? run_stored(d, out, pos, end)
		    : d->at == DEFLATE_TOKENS
		    ? deflate_run_tokens(d, out, pos, end)
		    : run_codes(d, out, pos, end);
		if (status == DEFLATE_MORE)
			return DEFLATE_MORE;
		if (status == DEFLATE_DAMAGED)
			break;
		d->at = d->last ? DEFLATE_OVER : DEFLATE_HEADER;
		if (blocks && d->last == false)
			return DEFLATE_MORE;
	}
	d->failed = true;
	return DEFLATE_DAMAGED;
}

bool
deflate_finish(struct deflate *d)
{
	uint32_t n;

	while (d->failed == false && d->at != DEFLATE_OVER) {
		if (d->at == DEFLATE_HEADER && !deflate_header(d))
			d->failed = true;
		else if (d->at == DEFLATE_TOKENS ||
		    (d->at == DEFLATE_STORED ? d->stored > 0
					     : d->match > 0 ||
				(slow_entry(
				     d, d->literals, DEFLATE_LITERAL_BITS, &n) &
				    (ENTRY_LITERAL | ENTRY_END)) != ENTRY_END))
			d->failed = true;
		else
			d->at = d->last ? DEFLATE_OVER : DEFLATE_HEADER;
	}
	return d->failed == false;
}

struct view
deflate_rest(const struct deflate *d)
{
	const uint8_t *p = d->next - d->n_bits / 8;

	return view_of(p, (size_t)(d->end - p));
}

bool
deflate_tokens(
    struct deflate *d, struct deflate_room *room, struct deflate_tokens *out)
{
	size_t n = room->n, n_literals = room->n_literals;

	if (d->failed || d->at != DEFLATE_HEADER || !deflate_header(d) ||
	    d->last || d->at != DEFLATE_CODES || d->end - d->next < FAST_IN ||
	    room->max_literals - n_literals < FAST_OUT || n >= room->max ||
	    (CPU_HAS_BMI2 ? tokens_bmi2(d, room) : tokens_plain(d, room)) !=
		DEFLATE_END) {
		room->n = n;
		room->n_literals = n_literals;
		return false;
	}
	d->at = DEFLATE_HEADER;
	*out = (struct deflate_tokens){.items = room->items + n,
	    .n = room->n - n,
	    .literals = room->literals + n_literals};
	return deflate_block(d, &out->end);
}

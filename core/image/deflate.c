/* SPDX-License-Identifier: MIT */
/*
 * Inflating. A code is looked up by its next 11 (literals and lengths) or 8
 * (distances) bits; longer codes go through a second level. An entry has all
 * that its symbol needs, so that the loop has no other table:
 *
 *	bits 0-7    how many bits the symbol takes, with its extra bits
 *	bits 8-11   those of the code alone; of a second level: log2 of its size
 *	bits 13-15  ENTRY_END, ENTRY_LEVEL; ENTRY_OTHER: one of these, or damage
 *	bits 16-30  the literal, the base of the length or distance, or where
 *		    the second level begins
 *	bit 31	    ENTRY_LITERAL
 *
 * While there are 16 bytes of input and room for the longest match, symbols
 * are decoded without a check for each (run_fast): one check a turn covers
 * what a turn can read and write. The rest goes byte by byte (run_slow).
 */
#include "image/deflate.h"
#include "base/cpu.h"

#define ENTRY_LITERAL UINT32_C(0x80000000)
#define ENTRY_OTHER UINT32_C(0x8000)
#define ENTRY_LEVEL UINT32_C(0x4000)
#define ENTRY_END UINT32_C(0x2000)

enum {
	CODE_MAX = 15,
	LITERALS_MAX = 288,
	DISTANCES_MAX = 32,
	LENGTHS_MAX = 19, /* symbols of the code for code lengths */
	LENGTH_BITS = 7,
	MATCH_MAX = 258,
	COPY = 32, /* of a match at once: few are longer */
	/* A turn of the fast loop writes three literals, or two and a match;
	 * it reads at most 16 bytes. */
	FAST_OUT = 2 + MATCH_MAX + COPY,
	FAST_IN = 16
};

static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2,
    2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t length_base[29] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15,
    17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
    258};

bool
deflate_init(struct deflate *d, struct view in, uint64_t bit)
{
	if (bit / 8 >= in.size)
		return false;
	d->start = in.data;
	d->next = in.data + bit / 8;
	d->end = in.data + in.size;
	d->bits = (uint64_t)*d->next++ >> bit % 8;
	d->n_bits = 8 - bit % 8;
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

/* At least 48 bits, or all that are left. */
static inline void
refill(struct deflate *d)
{
	while (d->n_bits <= 56 && d->next < d->end) {
		d->bits |= (uint64_t)*d->next++ << d->n_bits;
		d->n_bits += 8;
	}
}

static inline uint32_t
low(uint64_t bits, unsigned n)
{
	return (uint32_t)(bits & ((UINT64_C(1) << n) - 1));
}

/* n <= 32 bits; past the end: zero, and failed. */
static uint32_t
take(struct deflate *d, unsigned n)
{
	uint32_t value;

	if (d->n_bits < n)
		refill(d);
	if (d->n_bits < n) {
		d->failed = true;
		return 0;
	}
	value = low(d->bits, n);
	d->bits >>= n;
	d->n_bits -= n;
	return value;
}

/* ---- tables ---- */

struct code {
	uint16_t count[CODE_MAX + 1];  /* of the codes of each length */
	uint16_t sorted[LITERALS_MAX]; /* symbols by length, then number */
	unsigned longest;
};

/* False for lengths that cannot be: more codes than there are bits for, or
 * fewer, but for a single code of one bit (RFC 1951 section 3.2.7), or none. */
static bool
sort_code(struct code *c, const uint8_t *lengths, unsigned n)
{
	uint16_t offset[CODE_MAX + 2];
	int left = 1;

	memset(c->count, 0, sizeof(c->count));
	for (unsigned i = 0; i < n; i++)
		c->count[lengths[i]]++;
	c->count[0] = 0;
	c->longest = CODE_MAX;
	while (c->longest > 0 && c->count[c->longest] == 0)
		c->longest--;
	offset[1] = 0;
	for (unsigned i = 1; i <= CODE_MAX; i++) {
		left = left * 2 - c->count[i];
		if (left < 0)
			return false;
		offset[i + 1] = (uint16_t)(offset[i] + c->count[i]);
	}
	if (left > 0 && c->longest > 1)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (lengths[i] != 0)
			c->sorted[offset[lengths[i]]++] = (uint16_t)i;
	}
	return true;
}

/* The next code of n bits, whose bits come first to last: its last bit that is
 * 0 becomes 1, and those behind it 0. */
static inline unsigned
next_code(unsigned code, unsigned n)
{
	unsigned zeros = ~code & ((1U << n) - 1), bit;

	if (zeros == 0)
		return 0;
	bit = 1U << (31 - __builtin_clz(zeros));
	return (code & (bit - 1)) | bit;
}

/* log2 of the size of the second level that begins with a code of n bits. */
static unsigned
level_bits(
    const struct code *c, const uint16_t *count, unsigned n, unsigned root)
{
	unsigned bits = n - root;
	int left = (1 << bits) - count[n];

	while (left > 0 && bits + root < c->longest) {
		bits++;
		left = left * 2 - count[bits + root];
	}
	return bits;
}

static inline uint32_t
entry_of(uint32_t symbol_entry, unsigned bits)
{
	return symbol_entry + (bits << 8) + bits;
}

/* The codes of one bit at most, of which one may be missing. */
static void
build_short(uint32_t *table, unsigned root, const struct code *c,
    const uint32_t *entries)
{
	for (size_t i = 0; i < (size_t)1 << root; i++)
		table[i] = (i & 1) < c->count[1]
		    ? entry_of(entries[c->sorted[i & 1]], 1)
		    : ENTRY_OTHER;
}

/*
 * Makes both levels; entries[symbol] is what a symbol's entry begins with. A
 * code of n bits is in each entry whose index ends in it: so the first 2^n
 * entries are made of the codes up to n bits, and repeated for the next n.
 * Codes are complete, so that none is left out.
 */
static bool
build(uint32_t *table, size_t room, unsigned root, const struct code *c,
    const uint32_t *entries)
{
	const uint16_t *symbol = c->sorted;
	uint16_t count[CODE_MAX + 1];
	size_t used = (size_t)1 << root, level = 0;
	unsigned code = 0, first = UINT32_MAX, bits = 0;

	if (c->longest <= 1) {
		build_short(table, root, c, entries);
		return true;
	}
	table[0] = ENTRY_OTHER;
	for (unsigned n = 1; n <= root; n++) {
		size_t half = (size_t)1 << (n - 1);

		memcpy(table + half, table, half * sizeof(*table));
		for (unsigned k = c->count[n]; k > 0; k--) {
			table[code] = entry_of(entries[*symbol++], n);
			code = next_code(code, n);
		}
	}
	memcpy(count, c->count, sizeof(count));
	for (unsigned n = root + 1; n <= c->longest; n++) {
		for (; count[n] > 0; count[n]--, code = next_code(code, n)) {
			unsigned own = n - root;
			uint32_t entry = entry_of(entries[*symbol++], own);

			if (low(code, root) != first) {
				first = low(code, root);
				bits = level_bits(c, count, n, root);
				level = used;
				used += (size_t)1 << bits;
				if (used > room)
					return false;
				table[first] = ENTRY_OTHER | ENTRY_LEVEL |
				    (uint32_t)level << 16 | bits << 8 | root;
			}
			for (size_t at = level + (code >> root); at < used;
			     at += (size_t)1 << own)
				table[at] = entry;
		}
	}
	return true;
}

static void
literal_entries(uint32_t *out)
{
	for (uint32_t i = 0; i < LITERALS_MAX; i++) {
		if (i < 256)
			out[i] = ENTRY_LITERAL | i << 16;
		else if (i == 256)
			out[i] = ENTRY_OTHER | ENTRY_END;
		else if (i - 257 < 29)
			out[i] = (uint32_t)length_base[i - 257] << 16 |
			    length_extra[i - 257];
		else
			out[i] = ENTRY_OTHER;
	}
}

static void
distance_entries(uint32_t *out)
{
	for (uint32_t i = 0; i < DISTANCES_MAX; i++) {
		uint32_t extra = i < 4 ? 0 : i / 2 - 1;
		uint32_t base = i < 4 ? i + 1 : ((2 + i % 2) << extra) + 1;

		out[i] = i < 30 ? base << 16 | extra : ENTRY_OTHER;
	}
}

static bool
make_tables(struct deflate *d, const uint8_t *lengths, unsigned n_literals,
    unsigned n_distances)
{
	uint32_t entries[LITERALS_MAX];
	struct code code;

	literal_entries(entries);
	if (!sort_code(&code, lengths, n_literals) ||
	    !build(d->literals, DEFLATE_LITERAL_ROOM, DEFLATE_LITERAL_BITS,
		&code, entries))
		return false;
	distance_entries(entries);
	return sort_code(&code, lengths + n_literals, n_distances) &&
	    build(d->distances, DEFLATE_DISTANCE_ROOM, DEFLATE_DISTANCE_BITS,
		&code, entries);
}

static bool
fixed_tables(struct deflate *d)
{
	uint8_t lengths[LITERALS_MAX + DISTANCES_MAX];

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	memset(lengths + LITERALS_MAX, 5, DISTANCES_MAX);
	return make_tables(d, lengths, LITERALS_MAX, DISTANCES_MAX);
}

/* The code lengths of a dynamic block: RFC 1951 section 3.2.7. */
static bool
read_lengths(struct deflate *d, const uint32_t *table, uint8_t *out, unsigned n)
{
	unsigned i = 0;

	while (i < n) {
		uint32_t entry, symbol;
		unsigned repeat;
		uint8_t value = 0;

		refill(d);
		entry = table[low(d->bits, LENGTH_BITS)];
		symbol = entry >> 16;
		(void)take(d, entry & 0xff);
		if (d->failed || (entry & ENTRY_OTHER) != 0)
			return false;
		if (symbol < 16) {
			out[i++] = (uint8_t)symbol;
			continue;
		}
		if (symbol == 16 && i == 0)
			return false;
		if (symbol == 16)
			value = out[i - 1];
		repeat = symbol == 16 ? 3 + take(d, 2)
		    : symbol == 17    ? 3 + take(d, 3)
				      : 11 + take(d, 7);
		if (d->failed || repeat > n - i)
			return false;
		memset(out + i, value, repeat);
		i += repeat;
	}
	return true;
}

static bool
dynamic_tables(struct deflate *d)
{
	static const uint8_t order[LENGTHS_MAX] = {
	    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	unsigned n_literals = 257 + take(d, 5), n_distances = 1 + take(d, 5);
	unsigned n = 4 + take(d, 4);
	uint8_t lengths[LITERALS_MAX + DISTANCES_MAX] = {0};
	uint32_t entries[LENGTHS_MAX], table[1 << LENGTH_BITS];
	struct code code;

	if (n_literals > 286 || n_distances > 30)
		return false;
	for (unsigned i = 0; i < n; i++)
		lengths[order[i]] = (uint8_t)take(d, 3);
	for (uint32_t i = 0; i < LENGTHS_MAX; i++)
		entries[i] = i << 16;
	/* A code of one symbol is enough for the others only. */
	if (d->failed || !sort_code(&code, lengths, LENGTHS_MAX) ||
	    code.longest == 0 || (code.longest == 1 && code.count[1] != 2) ||
	    !build(table, 1 << LENGTH_BITS, LENGTH_BITS, &code, entries))
		return false;
	memset(lengths, 0, sizeof(lengths));
	return read_lengths(d, table, lengths, n_literals + n_distances) &&
	    lengths[256] != 0 &&
	    make_tables(d, lengths, n_literals, n_distances);
}

static bool
stored_header(struct deflate *d)
{
	uint32_t size;

	(void)take(d, d->n_bits % 8);
	size = take(d, 16);
	if ((take(d, 16) ^ size) != 0xffff || d->failed)
		return false;
	/* The bytes are taken from the input itself. */
	d->next -= d->n_bits / 8;
	d->bits = 0;
	d->n_bits = 0;
	d->stored = size;
	return true;
}

static bool
block_header(struct deflate *d)
{
	d->last = take(d, 1) != 0;
	switch (take(d, 2)) {
	case 0:
		d->at = DEFLATE_STORED;
		return stored_header(d);
	case 1:
		d->at = DEFLATE_CODES;
		return !d->failed && fixed_tables(d);
	case 2:
		d->at = DEFLATE_CODES;
		return dynamic_tables(d);
	default:
		return false;
	}
}

/* ---- symbols ---- */

static inline void
copy_word(uint8_t *to, const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	memcpy(to, &word, sizeof(word));
}

/* May write up to 31 bytes more than n; n > 0. Words are copied one after the
 * other, so a distance of one word repeats what was just written. */
static inline void
copy_match(uint8_t *to, uint32_t distance, uint32_t n)
{
	const uint8_t *from = to - distance;
	uint8_t *end = to + n;

	if (distance >= sizeof(uint64_t)) {
		do {
			for (int i = 0; i < COPY; i += 8)
				copy_word(to + i, from + i);
			to += COPY;
			from += COPY;
		} while (to < end);
	} else if (distance == 1) {
		uint64_t word = *from * UINT64_C(0x0101010101010101);

		do {
			memcpy(to, &word, sizeof(word));
			to += sizeof(word);
		} while (to < end);
	} else {
		/* Of each word as many bytes are right as lie between. */
		do {
			copy_word(to, from);
			to += distance;
			from += distance;
		} while (to < end);
	}
}

static inline uint64_t
load_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* What an entry says its symbol's number is, with the extra bits. */
static inline uint32_t
number(uint32_t entry, uint64_t bits)
{
	uint64_t own = bits & ((UINT64_C(1) << (entry & 0xff)) - 1);

	return (entry >> 16) + (uint32_t)(own >> ((entry >> 8) & 0xf));
}

/* DEFLATE_MORE: go on with run_slow; else as deflate_run. The state is in
 * local variables, where the compiler can keep it in registers. */
static inline __attribute__((always_inline)) enum deflate_status
run_fast_body(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	const uint8_t *next = d->next, *in_end = d->end - FAST_IN;
	const uint32_t *literals = d->literals;
	uint8_t *to = out + *pos, *out_end = out + end - FAST_OUT;
	uint64_t bits = d->bits, saved;
	unsigned n = d->n_bits;
	enum deflate_status status = DEFLATE_MORE;
	uint32_t entry, length, distance;

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

	/* A turn begins with 56 bits and the entry of the next symbol, which
	 * was looked up while the last match was being copied. */
	REFILL();
	entry = LITERAL_ENTRY();
	for (; next <= in_end && to <= out_end;) {
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
		if (distance > (size_t)(to - out)) {
			status = DEFLATE_DAMAGED;
			break;
		}
		REFILL();
		entry = LITERAL_ENTRY();
		copy_match(to, distance, length);
		to += length;
	}
#undef LITERAL_PERHAPS
#undef EMIT
#undef LITERAL_ENTRY
#undef REFILL
#undef DROP
	d->next = next;
	/* Those above n belong to bytes that are not counted as read. */
	d->bits = bits & ((UINT64_C(1) << n) - 1);
	d->n_bits = n;
	*pos = (size_t)(to - out);
	return status;
}

static enum deflate_status
run_fast_plain(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	return run_fast_body(d, out, pos, end);
}

/* Shifts by a variable in one instruction: a tenth of the time. */
__attribute__((target("bmi,bmi2"))) static enum deflate_status
run_fast_bmi2(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	return run_fast_body(d, out, pos, end);
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

	refill(d);
	entry = table[low(d->bits, root)];
	if ((entry & ENTRY_LITERAL) == 0 && (entry & ENTRY_LEVEL) != 0) {
		(void)take(d, entry & 0xff);
		entry = table[(entry >> 16) + low(d->bits, (entry >> 8) & 0xf)];
	}
	*n = number(entry, d->bits);
	/* An unused code has no bits; they would never end. */
	if ((entry & 0xff) == 0)
		d->failed = true;
	(void)take(d, entry & 0xff);
	return entry;
}

static void
slow_match(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	while (d->match > 0 && *pos < end) {
		out[*pos] = out[*pos - d->distance];
		++*pos;
		d->match--;
	}
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
	slow_match(d, out, pos, end);
	return DEFLATE_MORE;
}

/* Symbols until the output is full or the block ends. */
static enum deflate_status
run_codes(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	enum deflate_status status = DEFLATE_MORE;

	slow_match(d, out, pos, end);
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
			if (!block_header(d))
				break;
		}
		status = d->at == DEFLATE_STORED ? run_stored(d, out, pos, end)
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
		if (d->at == DEFLATE_HEADER && !block_header(d))
			d->failed = true;
		else if (d->at == DEFLATE_STORED ? d->stored > 0
						 : d->match > 0 ||
			    (slow_entry(
				 d, d->literals, DEFLATE_LITERAL_BITS, &n) &
				(ENTRY_LITERAL | ENTRY_END)) != ENTRY_END)
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

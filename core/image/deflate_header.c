/* SPDX-License-Identifier: MIT */
/*
 * The header of a block (RFC 1951 section 3.2.3 to 3.2.7): what follows, and
 * the tables by which its codes are looked up; and where in the data there may
 * be one.
 */
#include "image/deflate_private.h"

enum {
	CODE_MAX = 15,
	LITERALS_MAX = 288,
	DISTANCES_MAX = 32,
	LENGTHS_MAX = 19, /* symbols of the code for code lengths */
	LENGTH_BITS = 7,
	HEADERS = 44, /* are looked at together */
	FIND_IN = 32  /* more than is read of one */
};

static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2,
    2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t length_base[29] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15,
    17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
    258};

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

		deflate_refill(d);
		entry = table[low(d->bits, LENGTH_BITS)];
		symbol = entry >> 16;
		(void)deflate_take(d, entry & 0xff);
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
		repeat = symbol == 16 ? 3 + deflate_take(d, 2)
		    : symbol == 17    ? 3 + deflate_take(d, 3)
				      : 11 + deflate_take(d, 7);
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
	unsigned n_literals = 257 + deflate_take(d, 5),
		 n_distances = 1 + deflate_take(d, 5);
	unsigned n = 4 + deflate_take(d, 4);
	uint8_t lengths[LITERALS_MAX + DISTANCES_MAX] = {0};
	uint32_t entries[LENGTHS_MAX], table[1 << LENGTH_BITS];
	struct code code;

	if (n_literals > 286 || n_distances > 30)
		return false;
	for (unsigned i = 0; i < n; i++)
		lengths[order[i]] = (uint8_t)deflate_take(d, 3);
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

	(void)deflate_take(d, d->n_bits % 8);
	size = deflate_take(d, 16);
	if ((deflate_take(d, 16) ^ size) != 0xffff || d->failed)
		return false;
	/* The bytes are taken from the input itself. */
	d->next -= d->n_bits / 8;
	d->bits = 0;
	d->n_bits = 0;
	d->stored = size;
	return true;
}

bool
deflate_header(struct deflate *d)
{
	d->last = deflate_take(d, 1) != 0;
	switch (deflate_take(d, 2)) {
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

/* ---- where a block may begin ---- */

/* At least 57 bits from there on. */
static inline uint64_t
bits_at(struct view in, uint64_t bit)
{

	return load_word(in.data + bit / 8) >> bit % 8;
}

/* Of the next 44 bits those where a header may begin, each as a bit: not the
 * last block, codes of its own, at most 286 and 30 of them. */
static inline uint64_t
headers(uint64_t x)
{
	uint64_t kind = ~x & ~(x >> 1) & x >> 2;
	uint64_t many = x >> 4 & x >> 5 & x >> 6 & x >> 7;
	uint64_t far = x >> 9 & x >> 10 & x >> 11 & x >> 12;

	return kind & ~many & ~far & ((UINT64_C(1) << HEADERS) - 1);
}

/* How much of all codes, in 128ths, one of so many bits takes; two of them. */
#define PART(BITS) (128 >> (BITS)&127)
#define PARTS(BITS)                                                            \
	PART(BITS) + PART(0), PART(BITS) + PART(1), PART(BITS) + PART(2),      \
	    PART(BITS) + PART(3), PART(BITS) + PART(4), PART(BITS) + PART(5),  \
	    PART(BITS) + PART(6), PART(BITS) + PART(7)
static const uint8_t code_parts[64] = {PARTS(0), PARTS(1), PARTS(2), PARTS(3),
    PARTS(4), PARTS(5), PARTS(6), PARTS(7)};
#undef PARTS
#undef PART

/* Whether the code for the lengths of the codes is complete. */
static bool
is_complete(struct view in, uint64_t bit)
{
	unsigned n = low(bits_at(in, bit + 13), 4) + 4, sum = 0;
	uint64_t lengths = bits_at(in, bit + 17);

	lengths &= (UINT64_C(1) << 3 * n) - 1;
	for (int i = 0; i < LENGTHS_MAX; i += 2, lengths >>= 6)
		sum += code_parts[lengths & 63];
	return sum == 128;
}

bool
deflate_find(struct deflate *d, struct view in, uint64_t *bit, uint64_t end)
{
	if (in.size < FIND_IN)
		return false;
	if (end > (in.size - FIND_IN) * 8)
		end = (in.size - FIND_IN) * 8;
	for (uint64_t at = *bit; at < end; at += HEADERS) {
		uint64_t found = headers(bits_at(in, at));

		for (; found != 0; found &= found - 1) {
			*bit = at + (unsigned)__builtin_ctzll(found);
			if (*bit < end && is_complete(in, *bit) &&
			    deflate_init(d, in, *bit) && deflate_header(d))
				return deflate_init(d, in, *bit);
		}
	}
	return false;
}

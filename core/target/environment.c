/* SPDX-License-Identifier: MIT */
/*
 * What the process was started with: its arguments and environment, as the
 * kernel laid them out. It copies the strings to the top of the first stack, in
 * this order: 16 random bytes (AT_RANDOM), and above them, up to the name of
 * the executable (AT_EXECFN), arguments and environment (fs/exec.c,
 * fs/binfmt_elf.c). Below all that lie the pointers to them: those to the
 * arguments, a null, those to the environment, a null, and then the auxiliary
 * vector, which ends right below the random bytes. What a program changed since
 * lies elsewhere.
 */
#include <elf.h>

#include "target/target_private.h"

enum {
	RANDOM_BYTES = 16,
	STRINGS_MAX = 2 << 20,
	/* Some twenty entries of 16 bytes, the name of the platform, padding.
	 */
	AUXV_BELOW = 4096,
	AUXV_TYPE_MAX = 1024, /* what is larger is a pointer before it */
	VARIABLES_MAX = 16384,
	WORD = 8
};

size_t
target_start_strings(struct target *t, struct buf *out)
{
	uint64_t from, to;
	uint8_t *room;

	buf_clear(out);
	for (size_t i = 0; i < sizeof(t->given) / sizeof(*t->given); i++)
		if (t->given[i].size != 0)
			buf_append(out, t->given[i].data, t->given[i].size);
	if (out->size != 0 || t->process.live ||
	    !target_auxv(t, AT_RANDOM, &from) ||
	    !target_auxv(t, AT_EXECFN, &to) ||
	    __builtin_add_overflow(from, RANDOM_BYTES, &from) || to <= from ||
	    to - from > STRINGS_MAX)
		return out->size;
	room = buf_extend(out, (size_t)(to - from));
	if (room != NULL)
		out->size = target_read(t, from, room, (size_t)(to - from));
	return out->size;
}

/* ---- the environment alone ---- */

/* Where the auxiliary vector begins in memory: at the entry of AT_RANDOM, and
 * back from there, entry by entry. 0: not found. */
static bt_addr_t
find_auxv(struct target *t, bt_addr_t random)
{
	bt_addr_t at = random & ~(bt_addr_t)(WORD - 1);
	bt_addr_t end = at - AUXV_BELOW;
	uint64_t type, value;

	if (at <= AUXV_BELOW)
		return 0;
	for (at -= 2 * WORD;; at -= WORD) {
		if (at <= end)
			return 0;
		if (target_read_u64(t, at, &type) && type == AT_RANDOM &&
		    target_read_u64(t, at + WORD, &value) && value == random)
			break;
	}
	while (at > end && target_read_u64(t, at - 2 * WORD, &type) &&
	    type != AT_NULL && type < AUXV_TYPE_MAX)
		at -= 2 * WORD;
	return at > end ? at : 0;
}

/* The first variable: pointers that fall from the auxiliary vector down, into
 * the strings between `from` and `to`. 0: they are not as the kernel leaves
 * them. */
static bt_addr_t
find_first(struct target *t, bt_addr_t auxv, bt_addr_t from, bt_addr_t to)
{
	bt_addr_t at = auxv - WORD, first = 0;
	uint64_t word;

	if (!target_read_u64(t, at, &word) || word != 0)
		return 0;
	for (size_t n = 0; n < VARIABLES_MAX; n++) {
		at -= WORD;
		if (!target_read_u64(t, at, &word))
			return 0;
		if (word == 0)
			return first;
		if (word < from || word >= (first != 0 ? first : to))
			return 0;
		first = word;
	}
	return 0;
}

/* One that the program, or whoever damaged the core, has moved is none. */
static struct view
environment_of_stack(struct target *t)
{
	uint64_t random, to, auxv, first;
	uint8_t *text;

	if (t->process.live || t->arch == NULL || t->arch->unwind == NULL ||
	    !target_auxv(t, AT_RANDOM, &random) ||
	    !target_auxv(t, AT_EXECFN, &to) || to <= random ||
	    to - random > STRINGS_MAX || (auxv = find_auxv(t, random)) == 0 ||
	    (first = find_first(t, auxv, random, to)) == 0 ||
	    (text = arena_alloc(&t->arena, (size_t)(to - first))) == NULL)
		return view_of(NULL, 0);
	return view_of(text, target_read(t, first, text, (size_t)(to - first)));
}

struct view
target_environment(struct target *t)
{
	if (t->given[1].size != 0)
		return t->given[1];
	return environment_of_stack(t);
}

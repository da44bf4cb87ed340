/* SPDX-License-Identifier: MIT */
/*
 * What the process was started with: its arguments and environment, as the
 * kernel laid them out. It copies the strings to the top of the first stack, in
 * this order: 16 random bytes (AT_RANDOM), and above them, up to the name of
 * the executable (AT_EXECFN), arguments and environment (fs/exec.c,
 * fs/binfmt_elf.c). What a program changed since lies elsewhere.
 */
#include <elf.h>

#include "target/target_private.h"

enum { RANDOM_BYTES = 16, STRINGS_MAX = 2 << 20 };

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

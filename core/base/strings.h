/* SPDX-License-Identifier: MIT */
/*
 * Interned strings: equal text is stored once, so pointers compare. The text
 * lives in the arena given at init.
 */
#ifndef BASE_STRINGS_H
#define BASE_STRINGS_H

#include "base/arena.h"

struct strings_slot;

struct strings {
	struct arena *arena;
	struct strings_slot *slots;
	size_t count, room;
};

void strings_init(struct strings *s, struct arena *arena);
void strings_deinit(struct strings *s);
/* The one copy of the text; "" for NULL or when memory is out. */
const char *strings_add(struct strings *s, const char *text);
const char *strings_addn(struct strings *s, const char *text, size_t len);
/* The same, when it is there; NULL: nobody added it. */
const char *strings_find(const struct strings *s, const char *text);

#endif /* BASE_STRINGS_H */

/* SPDX-License-Identifier: MIT */
/*
 * When a shipped module is worth its price. A Lua module costs a state of its
 * own, so the comment at the head of its file says what it is for, in a form
 * that is read without Lua, and it is loaded only where that occurs:
 *
 *	-- inquest: when type std::vector<* std::map<*
 *	-- inquest: when object libglib-2.0.so*
 *	-- inquest: when symbol _PyRuntime in python3* libpython3*
 *
 * Any line is enough, and any word of it: a type of a variable in the snapshot
 * (as it was declared or behind the typedefs, without "const", "struct" and the
 * like; a pointer's ends with a star of its own), an executable or library (the
 * last component of its path), a symbol that one of them defines. "*" stands
 * for any text. A file without such a line is always loaded.
 */
#ifndef MODULE_CONDITION_H
#define MODULE_CONDITION_H

#include "target/target.h"
#include "value/raw.h"

enum {
	CONDITION_HEAD = 4096, /* bytes of the file that are looked at */
	CONDITION_RULES_MAX = 8,
	CONDITION_WORDS_MAX = 32
};

enum condition_subject { CONDITION_OBJECT, CONDITION_SYMBOL, CONDITION_TYPE };

struct condition_rule {
	enum condition_subject subject;
	/* Offsets in the text. Of words[n_words] on: the objects of "in". */
	unsigned n_words, n_objects;
	uint16_t words[CONDITION_WORDS_MAX];
};

/* Plain data. */
struct condition {
	unsigned n_rules;
	struct condition_rule rules[CONDITION_RULES_MAX];
	char text[CONDITION_HEAD + 1];
};

/* From the first bytes of a file; name is for the message. A line that begins
 * as one of ours and cannot be understood is an error. */
bool condition_parse(struct condition *out, const char *name, const char *head,
    size_t size, bt_error_t *e);

/* r: what has been read of variables; NULL: there are none. */
bool condition_holds(
    const struct condition *c, struct target *t, struct value_reader *r);

/* The pattern fits the whole text. */
bool condition_fits(const char *pattern, const char *text);

#endif /* MODULE_CONDITION_H */

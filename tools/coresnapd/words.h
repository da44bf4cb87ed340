/* SPDX-License-Identifier: MIT */
/*
 * Command lines put together for children: words in one array, and the same as
 * one line for the log.
 */
#ifndef CORESNAPD_WORDS_H
#define CORESNAPD_WORDS_H

#include "base/vec.h"
#include "service/log.h"

struct words {
	VEC(char *) list;
	bool failed;
};

void words_init(struct words *w);
void words_deinit(struct words *w);
void words_add(struct words *w, const char *format, ...) BT_PRINTF(2, 3);
/* What the letters after '%' stand for; "%%" is one '%'. */
struct words_value {
	char letter;
	const char *text;
};
/* The words of a line from the configuration, split at blanks, each with its
 * values put in. */
void words_expand(
    struct words *w, const char *line, const struct words_value *values);
/* For exec: ends with NULL. NULL when memory ran out or there are none. */
char *const *words_argv(struct words *w);
/* "Executing slave: WORD WORD..." */
void words_log(const struct words *w, const struct service_log *l);

#endif /* CORESNAPD_WORDS_H */

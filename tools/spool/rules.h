/* SPDX-License-Identifier: MIT */
/*
 * "format.1 = PROJECT %e /REGEX/": which project a crash belongs to. Rules are
 * tried from the top, the first that matches wins.
 */
#ifndef SPOOL_RULES_H
#define SPOOL_RULES_H

#include "base/error.h"
#include "base/vec.h"

#include <regex.h>

struct rule {
	char *project;
	bool any; /* no expression: matches everything */
	regex_t expression;
};

struct rules {
	VEC(struct rule) list;
};

void rules_init(struct rules *r);
void rules_deinit(struct rules *r);
/* BT_E_USAGE when the text is no rule. */
bool rules_add(struct rules *r, const char *text, bt_error_t *e);
/* The project of an executable: its path, or its name where the path is not
 * known. "blackhole" when no rule matches. */
const char *rules_project(const struct rules *r, const char *exe);

#endif /* SPOOL_RULES_H */

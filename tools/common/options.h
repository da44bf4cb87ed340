/* SPDX-License-Identifier: MIT */
/*
 * Command lines from a table: the parser, --help, and the test that compares
 * the man page and the shell completion all read the same rows.
 *
 * Options and operands come in any order; "--" ends the options. Long options
 * take "--name value" and "--name=value", short ones "-n value" and "-nvalue".
 * A later option overrides an earlier one unless it is a list.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include "base/buf.h"

struct option_row {
	char letter;	      /* 0: none */
	const char *name;     /* long name, NULL: none */
	const char *argument; /* what --help calls it; NULL: takes none;
				 "[NAME]": only in --name=value */
	const char *help;     /* "\n" breaks the line; NULL: another spelling
				 of an option that --help already shows */
	/* value is NULL for an option that has none. */
	bool (*apply)(void *ctx, const char *value, bt_error_t *e);
};

/* --name alone will do. */
bool option_is_optional(const struct option_row *row);

struct options_table {
	const struct option_row *rows; /* ends with a row of zeroes */
	bool (*operand)(void *ctx, const char *value, bt_error_t *e);
	void *ctx;
};

/* BT_E_USAGE with one line that says what is wrong. */
bool options_parse(
    const struct options_table *t, int argc, char **argv, bt_error_t *e);

/* The value of the last --name on the command line, without applying anything
 * (for --config, which is read before all others); NULL: not given. */
const char *options_peek(
    const struct options_table *t, int argc, char **argv, const char *name);

/* Applies the lines "long-option = value" of a file; '#' starts a comment.
 * Options without an argument stand alone or have the value yes or no. */
bool options_read_file(
    const struct options_table *t, const char *path, bt_error_t *e);
/* The same with a text, which is changed, and which option values point into;
 * where is for messages. */
bool options_read_text(const struct options_table *t, const char *where,
    char *text, bt_error_t *e);

/* The rows as --help shows them. */
void options_help(const struct option_row *rows, struct buf *out);

/* Strings in a list that ends with NULL, as the session wants it. */
struct option_list {
	const char **items; /* NULL while empty */
	size_t count;
};
bool option_list_add(struct option_list *l, const char *value, bt_error_t *e);

#endif /* COMMON_OPTIONS_H */

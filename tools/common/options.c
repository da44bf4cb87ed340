/* SPDX-License-Identifier: MIT */
/*
 * The parser of command lines.
 */
#include <stdlib.h>

#include "common/options.h"

enum { OPTION_LIST_MAX = 65536 };

static const struct option_row *
row_by_name(const struct option_row *rows, const char *name, size_t len)
{
	for (const struct option_row *r = rows; r->apply != NULL; r++)
		if (r->name != NULL && strlen(r->name) == len &&
		    memcmp(r->name, name, len) == 0)
			return r;
	return NULL;
}

static const struct option_row *
row_by_letter(const struct option_row *rows, char letter)
{
	for (const struct option_row *r = rows; r->apply != NULL; r++)
		if (r->letter != '\0' && r->letter == letter)
			return r;
	return NULL;
}

bool
option_is_optional(const struct option_row *row)
{

	return row->argument != NULL && row->argument[0] == '[';
}

/* One option found on the command line. */
struct found {
	const struct option_row *row;
	const char *value;
};

struct scanner {
	const struct options_table *table;
	int argc;
	char **argv;
	int next;
	const char *letters; /* rest of a cluster of short options */
	bool only_operands;
};

/* "--name", "--name=value", "--name value". */
static bool
scan_long(struct scanner *s, const char *text, struct found *out, bt_error_t *e)
{
	const char *equals = strchr(text, '=');
	size_t len = equals != NULL ? (size_t)(equals - text) : strlen(text);

	out->row = row_by_name(s->table->rows, text, len);
	out->value = equals != NULL ? equals + 1 : NULL;
	if (out->row == NULL)
		return bt_fail(e, BT_E_USAGE,
		    "unknown option '--%.*s'; --help lists the options",
		    (int)len, text);
	if (out->row->argument == NULL && equals != NULL)
		return bt_fail(e, BT_E_USAGE, "option '--%s' takes no argument",
		    out->row->name);
	if (out->row->argument == NULL || option_is_optional(out->row) ||
	    equals != NULL)
		return true;
	if (s->next == s->argc)
		return bt_fail(e, BT_E_USAGE,
		    "option '--%s' needs an argument: %s", out->row->name,
		    out->row->argument);
	out->value = s->argv[s->next++];
	return true;
}

/* The next of "-abc": options without an argument may be put together, the
 * first that takes one has the rest, or the next word. */
static bool
scan_letter(struct scanner *s, struct found *out, bt_error_t *e)
{
	char letter = *s->letters++;

	out->row = row_by_letter(s->table->rows, letter);
	out->value = NULL;
	if (out->row == NULL)
		return bt_fail(e, BT_E_USAGE,
		    "unknown option '-%c'; --help lists the options", letter);
	if (out->row->argument == NULL)
		return true;
	out->value = s->letters;
	s->letters = "";
	if (*out->value != '\0')
		return true;
	if (s->next == s->argc)
		return bt_fail(e, BT_E_USAGE,
		    "option '-%c' needs an argument: %s", letter,
		    out->row->argument);
	out->value = s->argv[s->next++];
	return true;
}

/* The next option or operand (row NULL). False with e->code BT_OK at the
 * end. */
static bool
scan(struct scanner *s, struct found *out, bt_error_t *e)
{
	const char *word;

	if (*s->letters != '\0')
		return scan_letter(s, out, e);
	if (s->next == s->argc) {
		e->code = BT_OK;
		return false;
	}
	word = s->argv[s->next++];
	*out = (struct found){NULL, word};
	if (s->only_operands || word[0] != '-' || word[1] == '\0')
		return true;
	if (strcmp(word, "--") == 0) {
		s->only_operands = true;
		return scan(s, out, e);
	}
	if (word[1] == '-')
		return scan_long(s, word + 2, out, e);
	s->letters = word + 1;
	return scan_letter(s, out, e);
}

bool
options_parse(
    const struct options_table *t, int argc, char **argv, bt_error_t *e)
{
	struct scanner s = {t, argc, argv, 1, "", false};
	struct found found;

	while (scan(&s, &found, e)) {
		bool ok = found.row != NULL
		    ? found.row->apply(t->ctx, found.value, e)
		    : t->operand(t->ctx, found.value, e);

		if (ok == false)
			return false;
	}
	return e->code == BT_OK;
}

const char *
options_peek(
    const struct options_table *t, int argc, char **argv, const char *name)
{
	struct scanner s = {t, argc, argv, 1, "", false};
	const char *value = NULL;
	struct found found;
	bt_error_t e;

	while (scan(&s, &found, &e))
		if (found.row != NULL && found.row->name != NULL &&
		    strcmp(found.row->name, name) == 0)
			value = found.value;
	return value;
}

/* The left column: "-o FILE, --output=FILE". */
static void
help_names(const struct option_row *r, struct buf *out)
{
	if (r->letter != '\0')
		buf_printf(out, "-%c%s%s%s", r->letter,
		    r->argument != NULL && r->name == NULL ? " " : "",
		    r->argument != NULL && r->name == NULL ? r->argument : "",
		    r->name != NULL ? ", " : "");
	if (r->name != NULL)
		buf_printf(out, "--%s%s%s%s", r->name,
		    option_is_optional(r) ? "[" : "",
		    r->argument != NULL ? "=" : "",
		    r->argument == NULL		? ""
			: option_is_optional(r) ? r->argument + 1
						: r->argument);
}

void
options_help(const struct option_row *rows, struct buf *out)
{
	enum { COLUMN = 28 };

	for (const struct option_row *r = rows; r->apply != NULL; r++) {
		size_t start = out->size, width;
		const char *text = r->help;

		if (text == NULL)
			continue;
		buf_puts(out, r->letter == '\0' ? "      " : "  ");
		help_names(r, out);
		width = out->size - start;
		if (width >= COLUMN) {
			buf_putc(out, '\n');
			width = 0;
		}
		for (;;) {
			size_t len = strcspn(text, "\n");

			buf_printf(out, "%*s%.*s\n", (int)(COLUMN - width), "",
			    (int)len, text);
			if (text[len] == '\0')
				break;
			text += len + 1;
			width = 0;
		}
	}
}

bool
option_list_add(struct option_list *l, const char *value, bt_error_t *e)
{
	const char **items;

	if (l->count == OPTION_LIST_MAX)
		return bt_fail(e, BT_E_USAGE, "too many values of one option");
	items = realloc(l->items, (l->count + 2) * sizeof(*items));
	if (items == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	l->items = items;
	items[l->count++] = value;
	items[l->count] = NULL;
	return true;
}

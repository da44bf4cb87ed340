/* SPDX-License-Identifier: MIT */
/*
 * Text that users and administrators write: the file of --config, lists of
 * attributes, and the head of a module that says when it is loaded.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/text.h"
#include "common/kv.h"
#include "common/options.h"
#include "module/condition.h"
#include "session/session.h"

static bool
apply_number(void *ctx, const char *value, bt_error_t *e)
{
	uint64_t *out = ctx;

	if (text_u64(value, out) || text_size(value, out))
		return true;
	return bt_fail(e, BT_E_USAGE, "'%s' is no number", value);
}

static bool
apply_text(void *ctx, const char *value, bt_error_t *e)
{
	enum session_level level;
	int64_t number;

	(void)ctx, (void)e;
	fuzz_use_text(value);
	if (value != NULL) {
		(void)session_level_parse(value, &level);
		(void)text_i64(value, &number);
	}
	return true;
}

static const struct option_row rows[] = {
    {'n', "number", "N", "a number", apply_number},
    {'t', "text", "TEXT", "a text", apply_text},
    {'f', "flag", NULL, "a flag", apply_text},
    {0, "maybe", "[TEXT]", "with or without", apply_text},
    {0, NULL, NULL, NULL, NULL},
};

static void
config(const char *text)
{
	uint64_t number;
	struct options_table table = {.rows = rows, .ctx = &number};
	bt_error_t e = {0};
	char *copy = strdup(text);

	if (copy == NULL)
		return;
	if (!options_read_text(&table, "input", copy, &e))
		fuzz_use_text(e.text);
	free(copy);
}

static void
attributes(const char *text)
{
	struct kv_list list = {0};
	bt_error_t e = {0};

	if (!kv_add(&list, text, &e))
		fuzz_use_text(e.text);
	for (size_t i = 0; i < list.count; i++) {
		fuzz_use_text(list.items[i].key);
		fuzz_use_text(list.items[i].value);
	}
	/* Keys and values lie in one copy, which begins with the first key. */
	if (list.count != 0)
		free((void *)(uintptr_t)list.items[0].key);
	free(list.items);
}

static void
conditions(const char *text, size_t size)
{
	struct condition c;
	bt_error_t e = {0};

	if (!condition_parse(&c, "input", text, size, &e))
		fuzz_use_text(e.text);
	else
		for (unsigned i = 0; i < c.n_rules; i++)
			for (unsigned k = 0; k < c.rules[i].n_words; k++)
				(void)condition_fits(
				    c.text + c.rules[i].words[k], text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size > 4096 || (text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	config(text);
	conditions(text, size);
	attributes(text);
	free(text);
	return 0;
}

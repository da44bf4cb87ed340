/* SPDX-License-Identifier: MIT */
/*
 * Attributes from the command line.
 */
#include <stdlib.h>

#include "common/kv.h"

enum { KV_MAX = 16384, KV_KEY_MAX = 256, KV_VALUE_MAX = 64 * 1024 };

static bool
add_pair(struct kv_list *l, char *key, size_t key_len, char *value)
{
	struct session_attribute *items = realloc(
	    l->items, (l->count + 1) * sizeof(*items));

	if (items == NULL)
		return false;
	key[key_len < KV_KEY_MAX ? key_len : KV_KEY_MAX] = '\0';
	l->items = items;
	items[l->count++] = (struct session_attribute){key, value};
	return true;
}

/* Terminates each value where the next pair begins. */
static void
end_value(struct kv_list *l, size_t first, char *comma)
{
	if (comma != NULL && l->count > first)
		*comma = '\0';
}

static bool
add_all(struct kv_list *l, char *part, bt_error_t *e)
{
	size_t first = l->count;
	char *comma = NULL;

	while (part != NULL && *part != '\0') {
		size_t len = strcspn(part, ",");
		char *colon = memchr(part, ':', len);

		if (colon != NULL && colon != part) {
			if (l->count == KV_MAX)
				return bt_fail(e, BT_E_USAGE,
				    "more than %d attributes", KV_MAX);
			end_value(l, first, comma);
			if (add_pair(l, part, (size_t)(colon - part),
				colon + 1) == false)
				return bt_fail(e, BT_E_NOMEM, "out of memory");
		} else if (l->count == first) {
			return bt_fail(e, BT_E_USAGE,
			    "--kv: '%.*s' has no key; write key:value,...",
			    len < 60 ? (int)len : 60, part);
		}
		comma = part[len] == ',' ? part + len : NULL;
		part = comma != NULL ? comma + 1 : NULL;
	}
	for (size_t i = first; i < l->count; i++) {
		char *value = (char *)(uintptr_t)l->items[i].value;

		if (strlen(value) > KV_VALUE_MAX)
			value[KV_VALUE_MAX] = '\0';
	}
	return true;
}

bool
kv_add(struct kv_list *l, const char *text, bt_error_t *e)
{
	size_t first = l->count;
	char *copy = strdup(text);
	bool ok;

	if (copy == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	ok = add_all(l, copy, e);
	/* The copy stays when keys and values point into it. */
	if (l->count == first)
		free(copy);
	return ok;
}

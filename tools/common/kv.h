/* SPDX-License-Identifier: MIT */
/*
 * Attributes from the command line: "key:value,key:value", as every known
 * caller of the original writes them.
 */
#ifndef COMMON_KV_H
#define COMMON_KV_H

#include "session/session.h"

struct kv_list {
	struct session_attribute *items;
	size_t count;
};

/* Adds the pairs of one --kv. The first colon of a pair splits it. A part
 * without a colon belongs to the value before it, which had a comma in it:
 * messages do. A first part without a colon is BT_E_USAGE. */
bool kv_add(struct kv_list *l, const char *text, bt_error_t *e);

#endif /* COMMON_KV_H */

/* SPDX-License-Identifier: MIT */
/*
 * A target in which there is nothing: what asks gets no answer.
 */
#include "target/target_private.h"

static size_t
view_nothing(
    struct target *t, bt_addr_t address, size_t size, const uint8_t **out)
{

	(void)t;
	(void)address;
	(void)size;
	(void)out;
	return 0;
}

static void
close_empty(struct target *t)
{

	target_deinit(t);
	free(t);
}

bool
target_empty(struct target **out, bt_error_t *e)
{
	static const struct target_ops ops = {
	    .view = view_nothing, .close = close_empty};
	const struct target_options options = {.core_path = NULL};
	struct target *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	if (target_init(t, &ops, &options, e) == false ||
	    target_finish(t, e) == false) {
		close_empty(t);
		return false;
	}
	*out = t;
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Entry values. Private to value/.
 */
#ifndef VALUE_ENTRY_H
#define VALUE_ENTRY_H

#include "value/value_private.h"

/* One entry value, not remembered; value_on_entry is the way to ask. */
bool entry_compute(
    struct evaluator *ev, struct view block, uint64_t *out, bt_error_t *e);

/* One that needs no memory, for it leads to no further one: what a call site
 * passes that is known from other frames, where that is a constant or one of
 * the caller's registers. False: ask in the usual way. */
bool entry_known(const struct evaluator *ev, struct view block, uint64_t *out);

#endif /* VALUE_ENTRY_H */

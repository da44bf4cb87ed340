/* SPDX-License-Identifier: MIT */
/*
 * What the files of raw variables share. Private to value/.
 */
#ifndef VALUE_RAW_PRIVATE_H
#define VALUE_RAW_PRIVATE_H

#include "value/raw.h"
#include "value/value_private.h"

/* To evaluate what belongs to a raw variable: no frame. */
void raw_evaluator(const struct value_raw *v, struct evaluator *ev);
void raw_source(const struct value_raw *v, struct source *out);
/* The variable of that shape at offset of a source. */
void raw_set(struct value_raw *v, struct evaluator *ev, struct shape *shape,
    const char *name, const struct source *src, uint64_t offset);

#endif /* VALUE_RAW_PRIVATE_H */

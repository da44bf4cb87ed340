/* SPDX-License-Identifier: MIT */
/*
 * The finished sections of a snapshot as they came from a worker, strung
 * together as they will lie in the file. The supervisor never decodes them.
 */
#ifndef SESSION_SECTIONS_H
#define SESSION_SECTIONS_H

#include "base/publish.h"
#include "formats/btt.h"

enum { SECTIONS_MAX = 32 };

struct sections {
	struct buf bytes; /* header map, then section maps */
	struct btt_entry entries[SECTIONS_MAX];
	size_t count;
};

void sections_init(struct sections *s, size_t cap);
void sections_deinit(struct sections *s);
void sections_clear(struct sections *s);
/* False over the cap; what was there stays as it was. */
bool sections_header(struct sections *s, const void *data, size_t size);
bool sections_add(struct sections *s, enum btt_section section,
    const void *data, size_t size);
/* Adds a warnings section of the supervisor's own. */
bool sections_warn(struct sections *s, const struct snap_warning *warnings,
    size_t count, bool partial);
/* Directory and trailer are added and everything is written. */
bool sections_write(struct sections *s, struct publish *p, bt_error_t *e);

#endif /* SESSION_SECTIONS_H */

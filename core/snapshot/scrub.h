/* SPDX-License-Identifier: MIT */
/*
 * Values that must not be in a snapshot, and finding them in bytes: all of them
 * in one pass. A value is looked for wherever it may have been copied to, so
 * only those that are long enough to be nothing else are.
 */
#ifndef SNAPSHOT_SCRUB_H
#define SNAPSHOT_SCRUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* Shorter ones are words and numbers that mean other things, too. */
	SCRUB_LEAST = 6,
	SCRUB_MOST = 4096,
	SCRUB_VALUES_MAX = 1024,
	SCRUB_MARK = 16 /* hex digits */
};

struct scrub;

struct scrub *scrub_new(void); /* NULL: no memory */
void scrub_free(struct scrub *s);

/* Copies the value. mark: SCRUB_MARK digits that stand for it where there is
 * room, or "". One that is too short, too long or known is passed over. False:
 * it will not be looked for. */
bool scrub_add(
    struct scrub *s, const void *value, size_t size, const char *mark);
size_t scrub_count(const struct scrub *s);
/* The mark that a value was added with (maybe ""), while s has it; NULL: it is
 * none of them. */
const char *scrub_mark(const struct scrub *s, const void *value, size_t size);

/* False: there is nothing of a value in these bytes. */
bool scrub_touches(const struct scrub *s, const void *data, size_t size);

enum scrub_how {
	SCRUB_TEXT = 1, /* stays UTF-8 */
	/* What was cut out of something larger: values may be there in part, at
	 * least SCRUB_LEAST bytes of them. */
	SCRUB_CUT = 2
};
/* Blanks the values, each with as many bytes. Their number. */
size_t scrub_clean(
    const struct scrub *s, uint8_t *data, size_t size, unsigned how);

#endif /* SNAPSHOT_SCRUB_H */

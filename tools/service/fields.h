/* SPDX-License-Identifier: MIT */
/*
 * A file of "key=value" lines: what is known of a crash, and how far its
 * processing has come. Values are foreign: control characters, "%" and what is
 * not UTF-8 are written as %XX, so that a line stays a line.
 */
#ifndef SERVICE_FIELDS_H
#define SERVICE_FIELDS_H

#include "base/buf.h"
#include "base/vec.h"

struct field {
	char *key, *value;
};

struct fields {
	VEC(struct field) entries;
	bool failed; /* sticky: memory or the cap ran out */
};

void fields_init(struct fields *r);
void fields_deinit(struct fields *r);
void fields_set(struct fields *r, const char *key, const char *value);
void fields_set_i64(struct fields *r, const char *key, int64_t value);
/* NULL: there is none. Valid until the next change. */
const char *fields_get(const struct fields *r, const char *key);
int64_t fields_get_i64(const struct fields *r, const char *key, int64_t or);

void fields_write(const struct fields *r, struct buf *out);
/* Lines that are none are left out: a newer version may have written it. */
void fields_parse(struct fields *r, const char *text, size_t size);

bool fields_load(struct fields *r, int dir_fd, const char *name, bt_error_t *e);
bool fields_save(
    const struct fields *r, int dir_fd, const char *name, bt_error_t *e);

#endif /* SERVICE_FIELDS_H */

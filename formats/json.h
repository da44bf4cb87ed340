/* SPDX-License-Identifier: MIT */
/*
 * The JSON document of design: one snapshot, keys are a promise to users.
 */
#ifndef FORMATS_JSON_H
#define FORMATS_JSON_H

#include "base/buf.h"
#include "snapshot/model.h"

/* Appends the document and a newline. variables false leaves variables,
 * objects and globals out (bt --no-variables). */
void json_write(const struct snapshot *s, bool variables, struct buf *out);
/* A JSON string literal with quotes; invalid UTF-8 is escaped as \xNN text. */
void json_string(struct buf *out, const char *text, size_t len);
/* The text is one complete, valid JSON value (depth and size capped). */
bool json_valid(const char *text, size_t len);

#endif /* FORMATS_JSON_H */

/* SPDX-License-Identifier: MIT */
/*
 * Writing JSON: commas and quotes in one place, and the number rules of the
 * snapshot (docs/snapshot-format.md, "Values in JSON").
 */
#ifndef FORMATS_JSON_OUT_H
#define FORMATS_JSON_OUT_H

#include "base/buf.h"
#include "snapshot/model.h"

struct json_out {
	struct buf *buf;
	bool comma; /* one is due before the next key or element */
	const struct snapshot *snapshot; /* whose variables are written */
};

void json_open(struct json_out *j, char bracket);
void json_close(struct json_out *j, char bracket);
/* A key of ours: plain ASCII, nothing to escape. */
void json_key(struct json_out *j, const char *key);
/* A key that may hold anything. */
void json_foreign_key(struct json_out *j, const char *key);

void json_null(struct json_out *j);
void json_bool(struct json_out *j, bool value);
/* Numbers up to 2^53, decimal strings from there on. */
void json_i64(struct json_out *j, int64_t value);
void json_u64(struct json_out *j, uint64_t value);
/* An object's ID: a string, as it is the key in "objects". */
void json_object_id(struct json_out *j, uint64_t id);
/* "0x..." */
void json_hex(struct json_out *j, uint64_t value);
/* A number that reads back to the same double, or "nan", "inf", "-inf". */
void json_double(struct json_out *j, double value);
/* NULL counts as "". */
void json_text(struct json_out *j, const char *text);
/* null for NULL and "". */
void json_text_or_null(struct json_out *j, const char *text);
/* One JSON value, taken over as it is when valid, else as a string. */
void json_raw(struct json_out *j, const char *text);

/* One VARIABLE. */
void json_variable(struct json_out *j, const struct snap_variable *v);
/* The array of annotations that an owner carries. */
void json_annotations(struct json_out *j, const struct snap_annotation *list);
void json_annotation_fields(
    struct json_out *j, const struct snap_annotation *a);
/* The array of threads. */
void json_system(struct json_out *j, const struct snapshot *s);
void json_threads(struct json_out *j, const struct snapshot *s, bool variables);
/* Every annotation of the snapshot in one array, each with its place. */
void json_all_annotations(struct json_out *j, const struct snapshot *s);

/* The shortest text that reads back to the same double (or float): at most 32
 * bytes. "nan", "inf", "-inf" for those. */
void json_double_text(char out[32], double value, bool is_float);

#endif /* FORMATS_JSON_OUT_H */

/* SPDX-License-Identifier: MIT */
/*
 * Inside the snapshot reader. A section is decoded from its payload alone; a
 * fault in it sets `bad` and the section's result is dropped. All counts are
 * held against the payload's size and all results against the arena's cap, so
 * a small file cannot ask for much.
 */
#ifndef FORMATS_BTT_READ_H
#define FORMATS_BTT_READ_H

#include "formats/btt_write.h"

struct btt_string {
	const char *data; /* in the payload */
	size_t len;
	const char *text; /* interned in the snapshot, NULL: not yet */
	const char *copy; /* all bytes, in the arena, NULL: not yet */
};

struct btt_input {
	struct snapshot *s;
	struct mp_fields fields;
	size_t size; /* of the payload: no count can be above it */
	struct btt_string *strings; /* id 1 is the first */
	size_t n_strings;
	const char *bad; /* NULL, or what is wrong */
};

/* Sets bad (the first reason stays); returns false. */
bool btt_bad(struct btt_input *in, const char *why);
/* bad when the column did not read well, or was not read to its end. */
void btt_done(struct btt_input *in, const struct mp_reader *r);
/* The "count" entry, held against the payload's size. */
size_t btt_count(struct btt_input *in, const struct mp_fields *f);
/* The map that stands under this key; empty when there is none. */
struct mp_fields btt_table(struct btt_input *in, const char *key);
/* Strings by their id; "" for 0 and, with bad set, for unknown ones. */
const char *btt_text(struct btt_input *in, uint64_t id);
const char *btt_bytes(struct btt_input *in, uint64_t id, uint32_t *size);
/* A str or bin of the payload, interned. */
const char *btt_read_text(struct btt_input *in, struct view *v);
/* Hex digits from a bin, "" from nil, or the str. */
const char *btt_read_hex(struct btt_input *in, struct view *v);

/* Sequences as written by put_sequences: columns of numbers. */
#define BTT_MAX_WIDTH 4
struct btt_sequences {
	size_t count, total;
	size_t *starts; /* count + 1 */
	uint64_t *columns[BTT_MAX_WIDTH];
};
bool btt_read_sequences(struct btt_input *in, const char *key,
    const char *const *columns, size_t width, struct btt_sequences *out);
void btt_free_sequences(struct btt_sequences *q);

bool btt_get_process(struct btt_input *in);
void btt_get_system(struct btt_input *in);
bool btt_get_threads(struct btt_input *in);
bool btt_get_modules(struct btt_input *in);
bool btt_get_variables(struct btt_input *in);
bool btt_get_objects(struct btt_input *in);
bool btt_get_analysis(struct btt_input *in);
bool btt_get_annotations(struct btt_input *in);
bool btt_get_memory(struct btt_input *in);
bool btt_get_resources(struct btt_input *in);
bool btt_get_warnings(struct btt_input *in);

/* A list of variables to be read: see struct btt_root. */
struct btt_tree {
	struct snap_variable *variables;
	uint32_t count, list;
};
/* Fills in variables and count of each tree. */
bool btt_get_values(
    struct btt_input *in, struct btt_tree *trees, size_t n_trees);

#endif /* FORMATS_BTT_READ_H */

/* SPDX-License-Identifier: MIT */
/*
 * Inside the snapshot writer: what its files share. A section's payload is one
 * map; tables inside it are written by column, numbers as differences, and
 * text by number, so that zstd finds the same bytes again and again.
 */
#ifndef FORMATS_BTT_WRITE_H
#define FORMATS_BTT_WRITE_H

#include "formats/btt.h"
#include "formats/mp.h"
#include "snapshot/pack.h"

/* The strings of one section: id 0 is "", the others count from 1 in the order
 * of their first use. The text must outlive the table. */
struct text_slot;
struct texts {
	struct map pointers; /* address of a NUL-terminated text -> id */
	struct text_slot *slots;
	size_t room;
	uint32_t count;
	struct buf body; /* the array's elements */
	bool failed;
};
void texts_init(struct texts *t);
void texts_deinit(struct texts *t);
uint32_t texts_id(struct texts *t, const char *text); /* NULL counts as "" */
uint32_t texts_idn(struct texts *t, const char *text, size_t len);
/* Adds "strings" to the table, unless there are none. Frees. */
void texts_end(struct texts *t, struct mp_table *out);

/* Interning of number sequences: equal ones get one number, from 0. */
struct sequences {
	struct map ids;
	VEC(int64_t) values;
	VEC(uint32_t) ends; /* end of each in values */
	bool failed;
};
void sequences_init(struct sequences *q);
void sequences_deinit(struct sequences *q);
/* SNAP_NONE when out of memory (then failed is set). */
uint32_t sequences_id(struct sequences *q, const int64_t *values, size_t count);
size_t sequences_start(const struct sequences *q, uint32_t id);

struct btt_writer {
	const struct snapshot *s;
	struct ZSTD_CCtx_s *zstd; /* used for all sections */
	/* What the process section has said, so that the analysis section
	 * repeats only what changed since. */
	size_t sent_attributes_count;
	struct snap_attribute *sent_attributes;
	size_t sent_classifiers;
	const char *sent_fingerprint;
	struct snap_fault sent_fault;
	uint64_t sent_callstack; /* a hash */
};

/* The threads' positions in the snapshot, in the order in which the file has
 * them: faulted ones first, then by tid. A core names threads in no order, but
 * neighbours in tid have neighbouring stacks. malloc'd, NULL: no memory. */
uint32_t *btt_thread_order(const struct snap_thread *threads, size_t n);

/* What the section of the threads is made of. */
struct btt_stacks {
	const struct snap_thread *threads;
	size_t n_threads;
	struct snap_location **locations;
	size_t n_locations;
};
/* The locations, which grow with the snapshot, are copied. */
bool btt_stacks_take(struct btt_stacks *x, const struct snapshot *s);
void btt_stacks_free(struct btt_stacks *x);

/* What the section of the variables is made of: rows and texts, which never
 * change; what is not packed yet is packed for it. NULL: no memory. */
struct btt_variables;
struct btt_variables *btt_variables_take(const struct snapshot *s);
void btt_variables_free(struct btt_variables *v);

/* Each writes the entries of one section's map; none at all when there is
 * nothing to say. False: out of memory. */
bool btt_put_process(struct btt_writer *w, struct mp_table *t);
void btt_put_system(const struct snapshot *s, struct mp_table *t);
bool btt_put_threads(const struct btt_stacks *s, struct mp_table *t);
bool btt_put_modules(const struct snapshot *s, struct mp_table *t);
bool btt_put_variables(struct btt_variables *v, struct mp_table *t);
bool btt_put_objects(const struct snapshot *s, struct mp_table *t);
bool btt_put_analysis(struct btt_writer *w, struct mp_table *t);
bool btt_put_memory(const struct snapshot *s, struct mp_table *t);
bool btt_put_resources(const struct snapshot *s, struct mp_table *t);
void btt_put_annotations(const struct snapshot *s, struct mp_table *t);

/* A variable list to be written, one per frame, object, or set of globals:
 * packed, or nodes, which are packed then. */
struct btt_root {
	const struct snap_packed *packed; /* NULL: list 0, "not collected" */
	uint32_t list;			  /* out: its list number */
};
/* Shapes, lists and values of all roots. What is not packed is packed first:
 * it is not looked at again. NULL, false: no memory. */
struct btt_values;
struct btt_values *btt_values_new(struct texts *texts);
const struct snap_packed *btt_values_pack(struct btt_values *x,
    const struct snap_variable *variables, uint32_t count);
bool btt_put_values(struct btt_values *x, struct btt_root *roots, size_t count,
    struct mp_table *t);
void btt_values_free(struct btt_values *x); /* NULL allowed */

/* Bits of a shape's "flags": the low ones are enum SNAP_VAR_... */
enum {
	BTT_SHAPE_MODEL = 0x03ff, /* SNAP_VAR_PARAMETER to SNAP_VAR_SUMMARY */
	BTT_SHAPE_REF = 0x1000,
	BTT_SHAPE_NUMBER = 0x2000,
	BTT_SHAPE_REASON = 0x4000,
	BTT_SHAPE_ALLOCATED = 0x8000
};
/* Blanks the values in a payload (btt_scrub.c). */
struct scrub;
void btt_scrub(const struct scrub *s, struct buf *raw);

/* Hex digits as a bin, "" as nil, anything else as a str. */
void btt_put_hex(struct buf *b, const char *text);
/* "rwxs" of the bits 1, 2, 4, 8. */
void btt_perms_text(unsigned bits, char out[5]);

/* Whom an annotation belongs to; the place's further numbers in brackets. */
enum btt_owner {
	BTT_OWNER_PROCESS,
	BTT_OWNER_THREAD,   /* [thread] */
	BTT_OWNER_FRAME,    /* [thread, frame] */
	BTT_OWNER_VARIABLE, /* [thread, frame, preorder number] */
	BTT_OWNER_GLOBAL,   /* [preorder number] */
	BTT_OWNER_OBJECT    /* [id, preorder number] */
};
/* Bits of a frame's "flags". */
enum { BTT_FRAME_SIGNAL = 1, BTT_FRAME_SP = 2 };

/* The trailer: bin 8 of this many bytes, the directory's offset (big-endian)
 * and the magic. */
#define BTT_TRAILER_BIN 12
#define BTT_TRAILER_SIZE (2 + BTT_TRAILER_BIN)
#define BTT_TRAILER_MAGIC "btt1"
#define BTT_VERSION 1

/* Bytes above this are refused by readers (and never written). */
#define BTT_MAX_SECTION ((uint64_t)1 << 30)

#endif /* FORMATS_BTT_WRITE_H */

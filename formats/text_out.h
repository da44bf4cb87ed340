/* SPDX-License-Identifier: MIT */
/*
 * Inside the text report: colours, escaped foreign text, and lists that flow
 * over several lines.
 */
#ifndef FORMATS_TEXT_OUT_H
#define FORMATS_TEXT_OUT_H

#include "formats/text.h"

enum text_style {
	TEXT_ALARM,  /* the signal */
	TEXT_STRONG, /* headings */
	TEXT_SYMBOL, /* function names */
	TEXT_DIM,    /* what matters less */
	TEXT_DOUBT,  /* guesses, warnings */
	TEXT_NAME    /* variables */
};

struct text_out {
	const struct snapshot *s;
	const struct text_options *o;
	struct buf *b;
	size_t line; /* offset in b where the present line begins */
};

void text_on(struct text_out *t, enum text_style style);
void text_off(struct text_out *t);
/* Foreign text, escaped; NULL counts as "". */
void text_put(struct text_out *t, const char *foreign);
void text_styled(
    struct text_out *t, enum text_style style, const char *foreign);
/* Text of our own. */
void text_say(struct text_out *t, const char *format, ...) BT_PRINTF(2, 3);
/* Ends the line and remembers where the next one begins. */
void text_end(struct text_out *t);

/* Items separated by ", " that wrap at the width under their first column. */
struct text_flow {
	struct text_out *t;
	unsigned indent; /* of every line but the first */
	size_t column;	 /* where the present line has got to */
	bool any;
};
void text_flow_begin(
    struct text_flow *f, struct text_out *t, unsigned indent, size_t column);
/* Columns the text takes on a terminal (colours none). */
size_t text_columns(const char *text, size_t len);
/* Breaks the line when the item does not fit; text goes out as it is. */
void text_flow_item(struct text_flow *f, const char *text, size_t len);

/* "name = value", for one variable; long ones wrap inside. */
void text_variables(
    struct text_out *t, const struct snap_frame *f, unsigned indent);
void text_annotations(struct text_out *t, const struct snap_annotation *list,
    unsigned indent, const char *where);
/* A JSON annotation as a tree; false, and nothing said: it is no JSON. */
bool text_tree(
    struct text_out *t, const struct snap_annotation *a, unsigned indent);
void text_list_variable(
    struct text_out *t, const struct snap_variable *v, unsigned indent);

/* How many findings besides the primary one it has. */
size_t text_verdict(struct text_out *t);
void text_evidence(struct text_out *t, size_t shown);
void text_threads(struct text_out *t);
void text_details(struct text_out *t);
/* The allocators and what is wrong with them. */
void text_heap(struct text_out *t);
/* An entry of the snapshot's `heap` that text_heap shows. */
bool text_heap_is_ours(const char *json);

#endif /* FORMATS_TEXT_OUT_H */

/* SPDX-License-Identifier: MIT */
/*
 * Variables of a frame, packed. Threads that stand in the same code have the
 * same variables, of the same types, with the same members: that is a
 * *template*, and what is left of each frame is a row of words, its values. A
 * row is about a tenth of the nodes (struct snap_variable) it stands for; with
 * a thousand threads that is the memory of the whole snapshot.
 *
 * A row and its template say all that nodes say, but annotations: those are
 * made by modules, and modules see nodes (snapshot_unpack).
 */
#ifndef SNAPSHOT_PACK_H
#define SNAPSHOT_PACK_H

#include "snapshot/model.h"

/* The words that a node has in the row, in this order. */
enum snap_word {
	SNAP_WORD_ADDRESS,
	SNAP_WORD_VALUE,
	SNAP_WORD_IMAGINARY,
	SNAP_WORD_NUMBER, /* texts are pointers */
	SNAP_WORD_STRING,
	SNAP_WORD_SIZE, /* of the string */
	SNAP_WORD_REASON,
	SNAP_WORD_LENGTH,
	SNAP_WORD_OBJECT,
	SNAP_WORD_HEAP_SIZE,
	SNAP_WORD_HEAP_OFFSET,
	SNAP_WORD_HEAP_PLACE,
	SNAP_WORD__COUNT
};

enum { /* above the bits of the words */
	SNAP_NODE_BELOW = 1 << SNAP_WORD__COUNT, /* no word for the address: it
						    is the root's + below */
	SNAP_NODE_ALLOCATED = 2 << SNAP_WORD__COUNT /* heap.allocated */
};

struct snap_node {
	const char *name, *type;
	uint32_t n_children; /* follow at once, each with its own */
	uint32_t words;	     /* bits 1 << enum snap_word, and SNAP_NODE_ */
	uint32_t first;	     /* of its words, in the row */
	uint16_t flags;	     /* SNAP_VAR_ */
	uint8_t kind;
	uint64_t below;
};

struct snap_template {
	uint32_t n_variables, n_nodes, n_words, n_pointers;
	struct snap_node *nodes; /* in preorder */
	uint32_t *pointers;	 /* the words that are values of pointers */
};

struct snap_packed {
	const struct snap_template *template;
	uint64_t words[];
};

/* Templates that variables of one place (a pc, a type) had: the last used one
 * first. */
enum { SNAP_TEMPLATES = 4 };
struct snap_templates {
	const struct snap_template *items[SNAP_TEMPLATES];
};

struct snap_packer {
	struct arena *arena; /* takes templates and rows */
	uint64_t *words;     /* of the row being made */
	size_t room;
};

void snap_packer_init(struct snap_packer *p, struct arena *arena);
void snap_packer_deinit(struct snap_packer *p);

/* The variables as a row of one of the templates, or of a new one, which takes
 * the place of the one that was used least recently. Members deeper than
 * SNAP_MAX_DEPTH are left out. NULL: no memory. */
const struct snap_packed *snap_pack(struct snap_packer *p,
    struct snap_templates *known, const struct snap_variable *variables,
    uint32_t count);

/*
 * For who knows what a row of a template needs and makes it without nodes: room
 * for the words, to be filled from there on in the order of the nodes, or NULL;
 * variables that are nodes all the same; and the row, NULL: no memory.
 */
uint64_t *snap_row_begin(struct snap_packer *p, const struct snap_template *t);
/* False: the variable is not what the template says. */
bool snap_row_variable(const struct snap_template *t, uint32_t node,
    const struct snap_variable *v, uint64_t **words);
/* The words behind the address of a node without parts; v is its value alone,
 * without what it says of its place. False: it is not what the node says. */
bool snap_row_leaf(
    const struct snap_node *n, const struct snap_variable *v, uint64_t **words);
const struct snap_packed *snap_row_end(
    struct snap_packer *p, const struct snap_template *t);
/* The node behind that variable and all its parts. */
uint32_t snap_next_variable(const struct snap_template *t, uint32_t node);
/* items[i] was used. */
void snap_templates_used(struct snap_templates *known, unsigned i);

/* How many bits of a set of words are set: up to 16 of them. The builtin is a
 * call where the compiler may not count on the instruction. */
static inline uint32_t
snap_words_in(uint32_t words)
{
	words -= words >> 1 & 0x5555;
	words = (words & 0x3333) + (words >> 2 & 0x3333);
	words = (words + (words >> 4)) & 0x0f0f;
	return (words + (words >> 8)) & 0x1f;
}

/* A node's word; it must have it. */
static inline uint64_t
snap_word(const struct snap_node *n, const uint64_t *row, enum snap_word which)
{
	return row[n->first + snap_words_in(n->words & ((1u << which) - 1))];
}

/* The address of every node of a row that has one. root: of the variable that
 * the node is part of; of that itself it has the word. */
static inline uint64_t
snap_node_address(const struct snap_node *n, const struct snap_node *root,
    const uint64_t *row)
{
	if ((n->words & SNAP_NODE_BELOW) != 0)
		return row[root->first] + n->below;
	return row[n->first];
}

/* Makes nodes of the frame's packed variables, for who wants to see or change
 * them; a frame that is not packed stays as it is. Without memory it has no
 * variables afterwards, which are then marked as not collected. */
void snapshot_unpack(struct snapshot *s, struct snap_frame *f);

/* How many variables the frame has, packed or not. */
static inline uint32_t
snap_frame_count(const struct snap_frame *f)
{
	return f->packed != NULL ? f->packed->template->n_variables
				 : f->n_variables;
}

/* Calls fn with the value of each pointer of the row until it says false;
 * false then. */
typedef bool snap_pointer_fn(void *ctx, uint64_t value);
bool snap_packed_pointers(
    const struct snap_packed *p, snap_pointer_fn *fn, void *ctx);

#endif /* SNAPSHOT_PACK_H */

/* SPDX-License-Identifier: MIT */
/*
 * The plan of a scope: a slot for each variable, with all that is the same in
 * every frame at that pc (value.c), and how its frames become rows without
 * nodes in between (rows.c).
 */
#ifndef VALUE_SLOTS_H
#define VALUE_SLOTS_H

#include "value/value_private.h"

enum slot_how {
	SLOT_REASON,  /* unavailable at this pc, whatever the frame */
	SLOT_FRAME,   /* frame base + offset */
	SLOT_ADDRESS, /* fixed address + bias */
	SLOT_BLOCK,   /* any expression */
	SLOT_LOCATION /* constants */
};

struct slot {
	const char *name; /* interned */
	struct shape *shape;
	const struct dwarf_location *location;
	struct view block;
	int64_t offset;
	uint64_t size; /* UINT64_MAX: evaluated (VLA) */
	const char *reason;
	uint16_t flags;
	uint8_t how;
};

struct row_plan;

struct scope_plan {
	uint32_t n_slots;
	struct slot *slots;
	uint32_t n_frames; /* counted only as long as they are few */
	struct snap_templates templates;
	/* How rows of a template are made; of the templates above. */
	struct row_plan *rows[SNAP_TEMPLATES];
};

/* Where the slot's value is in this frame. */
void slot_source(
    struct evaluator *ev, const struct slot *slot, struct source *out);
/* As a node. */
void slot_read(
    struct evaluator *ev, const struct slot *slot, struct snap_variable *v);

/* The frame's variables as a row of a template that the scope had before. NULL:
 * there is none that fits, or no room. */
const struct snap_packed *slots_row(
    struct evaluator *ev, struct scope_plan *plan);

#endif /* VALUE_SLOTS_H */

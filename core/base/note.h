/* SPDX-License-Identifier: MIT */
/*
 * ELF notes, one after the other (gABI, "Note Section"), little-endian.
 */
#ifndef BASE_NOTE_H
#define BASE_NOTE_H

#include "base/view.h"

struct note {
	uint32_t type;
	struct view name; /* with its NUL, as it is written */
	struct view desc;
};

/* The next one. align is what the segment says: 8 means 8, everything else 4,
 * as it is in practice. False at the end, and at one that does not fit. */
bool note_next(struct view *v, uint64_t align, struct note *out);

#endif /* BASE_NOTE_H */

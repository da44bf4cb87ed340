/* SPDX-License-Identifier: MIT */
/*
 * The report people read: `bt` and `ptrace -b`. A verdict of a few lines, then
 * every thread, faulted first, identical stacks grouped, frames as
 * "[ N] OBJECT SYMBOL (PATH:LINE)".
 */
#ifndef FORMATS_TEXT_H
#define FORMATS_TEXT_H

#include "base/buf.h"
#include "snapshot/model.h"

struct text_options {
	bool variables;
	bool color;   /* ANSI colours: only on a terminal */
	bool details; /* registers, modules, mappings, attributes (ptrace -b) */
	bool group_line; /* print "Group: FINGERPRINT" (ptrace -b) */
	unsigned width;	 /* wrap values at this many columns; 0: no wrapping */
};

/* Foreign text is escaped. */
void text_report(
    const struct snapshot *s, const struct text_options *o, struct buf *out);
/* "{x = 1, y = 0x..}" for one variable, on one line. */
void text_value(
    const struct snapshot *s, const struct snap_variable *v, struct buf *out);

#endif /* FORMATS_TEXT_H */

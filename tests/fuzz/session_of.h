/* SPDX-License-Identifier: MIT */
/*
 * A session over a core and an executable that are in memory.
 */
#ifndef FUZZ_SESSION_OF_H
#define FUZZ_SESSION_OF_H

#include "base/view.h"
#include "session/session.h"

/* Collects, with the two files, a system root in which nothing is, and a limit
 * on size and time; then show, unless the core was refused. */
void fuzz_session(struct session_options *options, struct view exe,
    struct view core, void (*show)(const struct snapshot *s));

#endif /* FUZZ_SESSION_OF_H */

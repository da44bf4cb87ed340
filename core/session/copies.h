/* SPDX-License-Identifier: MIT */
/*
 * After a snapshot: the copies of debug files that it looked for in the cache
 * and did not find are made, for the next one. By a process of its own for
 * each, behind the walls of a worker: it sees that file and nothing of what was
 * examined.
 */
#ifndef SESSION_COPIES_H
#define SESSION_COPIES_H

#include "session/supervisor.h"

/* Takes as long as a snapshot may, at most. What goes wrong is told and has no
 * other consequence. */
void copies_make(const struct session_options *options,
    const struct supervisor_console *console);

#endif /* SESSION_COPIES_H */

/* SPDX-License-Identifier: MIT */
/*
 * The name a snapshot gets: EXE.PID.UNIXTIME.btt in the current directory,
 * PREFIX.PID.UNIXTIME.btt, or exactly what the user said. EXE comes from the
 * core and is foreign: nothing in it may lead elsewhere.
 */
#ifndef SESSION_OUTPUT_H
#define SESSION_OUTPUT_H

#include "session/supervisor.h"

/* exe as a harmless part of a file name: letters, digits, "._+-", no leading
 * dot or dash, at most 64 bytes; "unknown" when nothing is left. */
void output_safe_name(char *out, size_t size, const char *exe);

/* malloc'd; NULL when out of memory. */
char *output_path(const struct supervisor_output *o, const char *exe,
    int32_t pid, int64_t now);

#endif /* SESSION_OUTPUT_H */

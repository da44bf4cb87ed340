/* SPDX-License-Identifier: MIT */
/*
 * Looks for values that are alive: in the registers of the fault, in the
 * frames near it, on the stacks of all threads, in the data of all modules.
 */
#ifndef MODULES_SCAN_H
#define MODULES_SCAN_H

#include "crash.h"

/* True: this is it. `where` is "rdi", "the stack at 0x7ff...". */
typedef bool scan_match(
    const struct crash *c, void *ctx, uint64_t word, const char *where);

/* Each returns where the first match was; NULL: none. */
const char *scan_registers(const struct crash *c, scan_match *match, void *ctx);
/* Registers, then the frames of the function at fault and of its caller. */
const char *scan_near(const struct crash *c, scan_match *match, void *ctx);
/* Registers, then the live stacks of all threads (of each the innermost
 * 64 KiB), then writable data of modules (of each the first 1 MiB). */
const char *scan_words(const struct crash *c, scan_match *match, void *ctx);

#endif /* MODULES_SCAN_H */

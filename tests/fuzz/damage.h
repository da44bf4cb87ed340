/* SPDX-License-Identifier: MIT */
/*
 * Damage to cores that knows what a core is made of: program headers, notes,
 * the registers, mapped files and auxiliary vector in them, the loader's list
 * of modules, the headers of files in memory, stacks, heaps. For the fuzzer
 * (fuzz_core.c) and for the campaign (damage_main.c, tests/campaign/cores).
 */
#ifndef FUZZ_DAMAGE_H
#define FUZZ_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was done to a core, for counting: damage_name(kind). */
enum damage_kind {
	DAMAGE_HEADER,
	DAMAGE_SEGMENT,
	DAMAGE_NOTE,
	DAMAGE_STATUS, /* NT_PRSTATUS */
	DAMAGE_PROCESS,
	DAMAGE_SIGNAL,
	DAMAGE_FILES,
	DAMAGE_AUXV,
	DAMAGE_STATE, /* extended registers */
	DAMAGE_LINKS, /* r_debug and its list */
	DAMAGE_DYNAMIC,
	DAMAGE_MODULE, /* ELF headers in memory */
	DAMAGE_STACK,
	DAMAGE_MEMORY,
	DAMAGE_BYTES,
	DAMAGE_CUT,
	DAMAGE__COUNT
};
const char *damage_name(enum damage_kind kind);

/* Changes one thing of that kind, or, when the core has none, any byte. The new
 * size, which is never larger. *state is the random numbers'. */
size_t damage_core(
    uint8_t *core, size_t size, enum damage_kind kind, uint64_t *state);
/* A few things of random kinds; bits of those in *kinds, which may be NULL. */
size_t damage_core_random(
    uint8_t *core, size_t size, uint64_t *state, uint32_t *kinds);

/* The next random number (splitmix64), and one below n (n not 0). */
uint64_t damage_next(uint64_t *state);
uint64_t damage_below(uint64_t *state, uint64_t n);

#endif /* FUZZ_DAMAGE_H */

/* SPDX-License-Identifier: MIT */
/*
 * The stack guard of gcc and clang (-fstack-protector): a word that a function
 * copies from the thread's storage to the end of its frame, and compares
 * before it returns.
 */
#ifndef TARGET_ARCH_GUARD_H
#define TARGET_ARCH_GUARD_H

#include "target/arch/arch.h"

enum {
	ARCH_GUARD_OFFSET = 0x28, /* of the word, from the thread pointer */
	ARCH_GUARD_CODE = 512	  /* bytes of a function that are looked at */
};

/* Where a function keeps it. */
struct arch_guard {
	bool by_fp;	 /* counted from the frame pointer, else from the CFA */
	int64_t offset;	 /* from there */
	uint32_t stored; /* offset in the code of what follows the store */
};

/* Reads the function's first instructions. False: it keeps none, or keeps it
 * where only a run would tell. */
bool arch_guard_find(const uint8_t *code, size_t size, struct arch_guard *out);

#endif /* TARGET_ARCH_GUARD_H */

/* SPDX-License-Identifier: MIT */
/*
 * An ELF file in memory that has the given debug sections and nothing else:
 * so that a fuzzer changes what is in them, and not the file around them.
 */
#ifndef FUZZ_SECTIONS_H
#define FUZZ_SECTIONS_H

#include "image/image.h"

struct fuzz_section {
	const char *name;
	struct view bytes; /* size 0: left out */
};

/* NULL: no memory, or too large. */
struct image *fuzz_sections(const struct fuzz_section *sections, size_t n);

#endif /* FUZZ_SECTIONS_H */

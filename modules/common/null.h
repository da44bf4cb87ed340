/* SPDX-License-Identifier: MIT */
/*
 * Null pointers as the address alone tells them, where nobody can read the
 * instruction: what is near 0 is where nothing can be mapped.
 */
#ifndef MODULES_NULL_H
#define MODULES_NULL_H

#include "crash.h"

/* vm.mmap_min_addr of all distributions: nothing is mapped below. */
enum { NULL_END = 65536 };

/* Below NULL_END, or just below 0 as container_of() of NULL is. */
bool null_is_near(uint64_t address);
/* A verdict from the address of a page fault, if it is near. why: the reason
 * that there is nothing else to tell it from. */
void null_from_address(const struct crash *c, const char *why);

#endif /* MODULES_NULL_H */

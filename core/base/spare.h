/* SPDX-License-Identifier: MIT */
/*
 * Blocks of zeroed memory that were touched before they are needed. The kernel
 * clears a page when somebody writes to it for the first time, in 1 to 3 us,
 * and in a virtual machine that has given its free memory back to its host it
 * has to be got from there first. Meanwhile whoever fills a snapshot waits, and
 * another processor has nothing to do: so a thread of its own keeps two blocks
 * in stock from the moment when the first one is asked for.
 */
#ifndef BASE_SPARE_H
#define BASE_SPARE_H

#include "base/error.h"

#include <stddef.h>

enum { SPARE_BLOCK = 1 << 20 }; /* bytes */

struct spare;

/* NULL where it would be of no use (a single processor), or without memory;
 * all functions take that. */
struct spare *spare_new(void);
/* Stops the thread. Blocks that were taken stay. */
void spare_free(struct spare *s);

/* SPARE_BLOCK bytes, all zero, aligned to a page; from the stock if there is
 * one. For spare_give. NULL: no memory. By one thread only. */
void *spare_take(struct spare *s) BT_CHECK;
/* Gets memory now for pages that nobody has written to yet; what they hold is
 * not changed. False: not to be had, or the kernel is older than 5.14. */
bool spare_touch(void *pages, size_t size);
/* Gives a block back to the kernel; needs no stock. NULL allowed. */
void spare_give(void *block);

#endif /* BASE_SPARE_H */

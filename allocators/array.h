/* SPDX-License-Identifier: MIT */
/*
 * Growable arrays of the target's facts, and finding by address in those whose
 * items begin with one.
 */
#ifndef ALLOCATORS_ARRAY_H
#define ALLOCATORS_ARRAY_H

#include <ptrace/heap.h>

/* Room for one more item of `size` bytes, at most `most`. False: no more
 * allowed, or no memory; the array is then as it was. */
bool array_grow(
    void **items, size_t *room, size_t count, size_t most, size_t size);

/* Sorts items that begin with two words, by the first and then the second. */
void array_sort(void *items, size_t count, size_t size);
/* How many of the sorted items begin with a lower word than key. */
size_t array_index(const void *items, size_t count, size_t size, uint64_t key);

#endif /* ALLOCATORS_ARRAY_H */

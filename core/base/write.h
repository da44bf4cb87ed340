/* SPDX-License-Identifier: MIT */
/*
 * All of a buffer into a descriptor: short and interrupted writes go on.
 */
#ifndef BASE_WRITE_H
#define BASE_WRITE_H

#include <stdbool.h>
#include <stddef.h>

/* False with errno when not all size bytes could be written; a descriptor that
 * takes nothing and names no error counts as full (ENOSPC). The descriptor
 * blocks. */
bool write_all(int fd, const void *data, size_t size);

#endif /* BASE_WRITE_H */

/* SPDX-License-Identifier: MIT */
/*
 * Asking a worker that stayed for the next snapshot: a byte over a socket, and
 * with it the memory of the new frozen copy, if there is one.
 */
#ifndef SESSION_MORE_H
#define SESSION_MORE_H

#include <stdbool.h>

/* memory_fd -1: none. False when nobody is there. */
bool more_send(int fd, int memory_fd);
/* Waits. *memory_fd is the receiver's, or -1. False at the end. */
bool more_receive(int fd, int *memory_fd);

#endif /* SESSION_MORE_H */

/* SPDX-License-Identifier: MIT */
/*
 * Where the files of a process are, as seen from here, when it has another
 * root: it ran in a container, or after chroot.
 */
#ifndef SPOOL_ROOT_H
#define SPOOL_ROOT_H

#include <stdbool.h>
#include <stddef.h>

/* proc is /proc/PID. out: the directory that is the process's root, "" when it
 * is ours. False when it is another one and not to be seen from here. What is
 * answered was compared with the process's own (device and inode). */
bool root_find(int proc, char *out, size_t size);

#endif /* SPOOL_ROOT_H */

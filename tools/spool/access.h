/* SPDX-License-Identifier: MIT */
/*
 * Who may read what was kept of a process: its user, if it was an ordinary one.
 * Never by giving files away, which would let the owner change what is sent in
 * our name, but by an access list; without one (the file system has none), only
 * root.
 */
#ifndef SPOOL_ACCESS_H
#define SPOOL_ACCESS_H

#include "base/error.h"

#include <sys/types.h>

/* Lets the user read the file. False where the file system cannot: then nobody
 * else can, which is safe. */
bool access_allow(int fd, uid_t uid);

#endif /* SPOOL_ACCESS_H */

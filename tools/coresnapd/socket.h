/* SPDX-License-Identifier: MIT */
/*
 * A core that the kernel sends over a socket (kernel.core_pattern = @PATH or
 * @@PATH). With "@" the core follows at once; with "@@" the kernel asks first
 * what to do with it. Which of the two it is, the first bytes tell.
 */
#ifndef CORESNAPD_SOCKET_H
#define CORESNAPD_SOCKET_H

#include "spool/facts.h"

enum socket_form { SOCKET_PLAIN, SOCKET_REQUEST, SOCKET_NOTHING };

/* Waits for the first bytes, without taking them. */
enum socket_form socket_form(int fd, uint32_t seconds);
/* Who is on the other side: facts without /proc; *pidfd is the caller's to
 * close, or -1 on a kernel that has none for sockets. */
bool socket_peer(int fd, struct facts *f, int *pidfd, bt_error_t *e);
/* Answers a request: the core shall follow, or it shall not. False with
 * BT_E_FORMAT when the kernel does not agree. */
bool socket_answer(int fd, bool wanted, bt_error_t *e);

#endif /* CORESNAPD_SOCKET_H */

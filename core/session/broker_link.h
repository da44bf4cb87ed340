/* SPDX-License-Identifier: MIT */
/*
 * The messages between a worker and its broker, each one packet.
 */
#ifndef SESSION_BROKER_LINK_H
#define SESSION_BROKER_LINK_H

#include <limits.h>

#include "base/opener.h"

enum {
	/* Kinds below are enum opener_kind, with a path. */
	BROKER_FETCH_DEBUGINFO = 100, /* with a build-id */
	BROKER_FETCH_EXECUTABLE,
	BROKER_DIGEST, /* of bytes; the answer is a name without descriptor */
	BROKER_LISTEN, /* comes with a descriptor, has no answer */
	/* A copy of a file (opener.h): its kind as a byte, its path, and its
	 * build-id in hexadecimal. */
	BROKER_INFLATED,
	BROKER_SPOILT, /* the same, of which the copy is of no use */
	BROKER_OPEN,   /* several files: for each its kind as a byte, a path */
	BROKER_OPEN_MAX = 16,
	BROKER_SIZE_MAX = PATH_MAX
};

struct broker_request {
	uint32_t kind;
	uint32_t size;		       /* of data */
	uint8_t data[BROKER_SIZE_MAX]; /* a path has its NUL */
};

struct broker_reply {
	bt_error_t error; /* BT_OK: a descriptor comes with it */
	uint32_t size;	  /* of name, with its NUL; 0: none */
	char name[PATH_MAX];
};

/* To BROKER_OPEN: of each file that was opened a descriptor, in their order. */
struct broker_opened {
	uint32_t n;
	bt_error_t errors[BROKER_OPEN_MAX]; /* of n; BT_OK: opened */
};

/* One packet with or without a descriptor (-1). False: the other side is gone.
 */
bool broker_send(int to, const void *data, size_t size, int fd);
/* The same with several, at most BROKER_OPEN_MAX. */
bool broker_send_all(
    int to, const void *data, size_t size, const int *fds, size_t n);
/* The same without a descriptor, and only if there is room at once. */
bool broker_offer(int to, const void *data, size_t size);
/* Its size, 0 at the end, -1 for an error. *fd: -1 when none came. */
ssize_t broker_receive(int from, void *data, size_t size, int *fd);
/* With *n descriptors in fds, which has room for BROKER_OPEN_MAX. */
ssize_t broker_receive_all(
    int from, void *data, size_t size, int *fds, size_t *n);

#endif /* SESSION_BROKER_LINK_H */

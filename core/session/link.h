/* SPDX-License-Identifier: MIT */
/*
 * Messages from the worker to the supervisor over a pipe: a kind, a length,
 * the bytes. The supervisor does not trust the worker (it parses foreign
 * data): lengths are capped and unknown kinds end the conversation.
 */
#ifndef SESSION_LINK_H
#define SESSION_LINK_H

#include "base/buf.h"

enum link_kind {
	LINK_IDENTITY = 1, /* i32 pid, then the executable's name */
	LINK_RESTART,	   /* sections start anew: what follows is better */
	LINK_SECTION,	   /* u8 section (LINK_HEADER: the header map), bytes */
	LINK_LOG,	   /* u8 level, text */
	LINK_STATS,	   /* text */
	LINK_ERROR,	   /* a bt_error_t: there will be no snapshot */
	LINK_PARTIAL,	   /* something is missing from the snapshot */
	LINK_DONE	   /* all sections were sent */
};

enum { LINK_HEADER = 255 };

/* One message, two parts to spare the sender a copy. False when the other side
 * is gone. */
bool link_send(int fd, enum link_kind kind, const void *head, size_t head_size,
    const void *body, size_t body_size);

struct link_message {
	enum link_kind kind;
	const uint8_t *data;
	size_t size;
};

struct link_reader {
	int fd;
	size_t cap; /* of one message */
	struct buf in;
	size_t taken;
};

void link_reader_init(struct link_reader *r, int fd, size_t cap);
void link_reader_deinit(struct link_reader *r);
/* Reads what there is without blocking longer than one read. 1: got bytes,
 * 0: end of the stream, -1: error or a message over the cap. */
int link_reader_fill(struct link_reader *r);
/* The next whole message, valid until the next fill. */
bool link_reader_next(struct link_reader *r, struct link_message *out);

#endif /* SESSION_LINK_H */

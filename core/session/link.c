/* SPDX-License-Identifier: MIT */
/*
 * Message framing between worker and supervisor.
 */
#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include "session/link.h"

struct link_frame {
	uint32_t kind;
	uint32_t size;
};

/* Writes all of the parts; advances through them after a short write. */
static bool
send_all(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t n = writev(fd, parts, count);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		size_t left = (size_t)n;
		while (count > 0 && left >= parts->iov_len) {
			left -= parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (uint8_t *)parts->iov_base + left;
			parts->iov_len -= left;
		}
	}
	return true;
}

bool
link_send(int fd, enum link_kind kind, const void *head, size_t head_size,
    const void *body, size_t body_size)
{
	struct link_frame frame = {.kind = (uint32_t)kind};
	struct iovec parts[3];
	size_t size;

	if (__builtin_add_overflow(head_size, body_size, &size) ||
	    size > UINT32_MAX)
		return false;
	frame.size = (uint32_t)size;
	parts[0] = (struct iovec){&frame, sizeof(frame)};
	parts[1] = (struct iovec){(void *)(uintptr_t)head, head_size};
	parts[2] = (struct iovec){(void *)(uintptr_t)body, body_size};
	return send_all(fd, parts, 3);
}

void
link_reader_init(struct link_reader *r, int fd, size_t cap)
{
	*r = (struct link_reader){.fd = fd, .cap = cap};
	buf_init(&r->in, cap + sizeof(struct link_frame) + 65536);
}

void
link_reader_deinit(struct link_reader *r)
{
	buf_deinit(&r->in);
}

/* Drops the messages that were taken, so that the buffer stays small. */
static void
compact(struct link_reader *r)
{
	if (r->taken == 0)
		return;
	r->in.size -= r->taken;
	memmove(r->in.data, r->in.data + r->taken, r->in.size);
	r->taken = 0;
}

int
link_reader_fill(struct link_reader *r)
{
	enum { CHUNK = 65536 };
	size_t before;
	ssize_t n;
	uint8_t *room;

	compact(r);
	before = r->in.size;
	room = buf_extend(&r->in, CHUNK);
	if (room == NULL)
		return -1;
	do {
		n = read(r->fd, room, CHUNK);
	} while (n < 0 && errno == EINTR);
	r->in.size = before + (n > 0 ? (size_t)n : 0);
	return n > 0 ? 1 : n == 0 ? 0 : -1;
}

bool
link_reader_next(struct link_reader *r, struct link_message *out)
{
	struct link_frame frame;
	size_t left = r->in.size - r->taken;

	if (left < sizeof(frame))
		return false;
	memcpy(&frame, r->in.data + r->taken, sizeof(frame));
	if (frame.size > left - sizeof(frame))
		return false;
	*out = (struct link_message){
	    .kind = (enum link_kind)frame.kind,
	    .data = r->in.data + r->taken + sizeof(frame),
	    .size = frame.size,
	};
	r->taken += sizeof(frame) + frame.size;
	return true;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session/broker_link.h"

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(BROKER_OPEN_MAX * sizeof(int))];
};

static bool
send_packet(int to, const void *data, size_t size, const int *fds, size_t n_fds,
    int flags)
{
	union control control;
	struct iovec part = {(void *)(uintptr_t)data, size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;

	if (n_fds > BROKER_OPEN_MAX)
		return false;
	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(to, &m, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

bool
broker_send(int to, const void *data, size_t size, int fd)
{

	return send_packet(to, data, size, &fd, fd >= 0, 0);
}

bool
broker_send_all(int to, const void *data, size_t size, const int *fds, size_t n)
{

	return send_packet(to, data, size, fds, n, 0);
}

bool
broker_offer(int to, const void *data, size_t size)
{

	return send_packet(to, data, size, NULL, 0, MSG_DONTWAIT);
}

/* At most `room` descriptors are taken: without the padding of CMSG_SPACE the
 * kernel has no place for more, and drops them. */
static ssize_t
receive_packet(
    int from, void *data, size_t size, int *fds, size_t room, size_t *n_fds)
{
	union control control;
	struct iovec part = {data, size};
	struct msghdr m = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = CMSG_LEN(room * sizeof(int))};
	const struct cmsghdr *c;
	ssize_t n;

	*n_fds = 0;
	do
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(0)) {
		*n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *n_fds * sizeof(int));
	}
	return n;
}

ssize_t
broker_receive(int from, void *data, size_t size, int *fd)
{
	size_t n_fds;
	ssize_t n;

	*fd = -1;
	n = receive_packet(from, data, size, fd, 1, &n_fds);
	return n;
}

ssize_t
broker_receive_all(int from, void *data, size_t size, int *fds, size_t *n)
{

	return receive_packet(from, data, size, fds, BROKER_OPEN_MAX, n);
}

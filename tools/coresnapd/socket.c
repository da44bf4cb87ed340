/* SPDX-License-Identifier: MIT */
/*
 * The kernel's side is described in linux/coredump.h and linux/pidfd.h of 6.16
 * and later, which systems have that are younger than their headers; so what is
 * needed of them stands here.
 */
#include "coresnapd/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "service/file.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* struct coredump_req and coredump_ack, their first versions. */
struct request {
	uint32_t size, size_ack;
	uint64_t mask;
};

struct answer {
	uint32_t size, spare;
	uint64_t mask;
};

enum {
	MASK_KERNEL = 1, /* the kernel writes the core */
	MASK_REJECT = 4, /* no core */
	MASK_WAIT = 8,	 /* and it waits until we close the socket */
	MARK_AGREED = 0,
	REQUEST_MAX = 4096
};

/* struct pidfd_info of 6.16. */
struct info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
	uint32_t coredump_mask, coredump_signal;
};

enum {
	INFO_PID = 1,
	INFO_CREDS = 2,
	INFO_COREDUMP = 16,
	/* coredump_mask */
	DUMPED_USER = 4 /* dump mode 1 */
};

#define IOCTL_INFO _IOWR(0xFF, 11, struct info)

enum socket_form
socket_form(int fd, uint32_t seconds)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct timeval patience = {.tv_sec = seconds};
	char first[4];
	int ready;

	/* For all that is read of the request, too. */
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	do
		ready = poll(&p, 1, seconds != 0 ? (int)seconds * 1000 : -1);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0 ||
	    recv(fd, first, sizeof(first), MSG_PEEK | MSG_WAITALL) !=
		sizeof(first))
		return SOCKET_NOTHING;
	return memcmp(first, "\177ELF", 4) == 0 ? SOCKET_PLAIN : SOCKET_REQUEST;
}

static void
from_pidfd(struct facts *f, int pidfd)
{
	struct info info = {.mask = INFO_PID | INFO_CREDS | INFO_COREDUMP};

	/* Kernels before 6.16 refuse the larger struct or leave the mask. */
	if (ioctl(pidfd, IOCTL_INFO, &info) != 0)
		return;
	if ((info.mask & INFO_CREDS) != 0) {
		f->uid = info.ruid;
		f->gid = info.rgid;
	}
	if ((info.mask & INFO_COREDUMP) != 0) {
		f->signal = (int)info.coredump_signal;
		f->dump_mode = (info.coredump_mask & DUMPED_USER) != 0 ? 1 : 2;
	}
}

bool
socket_peer(int fd, struct facts *f, int *pidfd, bt_error_t *e)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	*pidfd = -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return bt_fail_os(e, errno, "cannot tell who sends");
	f->pid = peer.pid;
	f->uid = peer.uid;
	f->gid = peer.gid;
	f->time = (int64_t)time(NULL);
	size = sizeof(*pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, pidfd, &size) != 0)
		*pidfd = -1;
	else
		from_pidfd(f, *pidfd);
	return true;
}

static bool
read_exactly(int fd, void *data, size_t size, bt_error_t *e)
{
	/* Asked for nothing, a stream waits for something all the same. */
	ssize_t n = size != 0 ? recv(fd, data, size, MSG_WAITALL) : 0;

	return n == (ssize_t)size ||
	    bt_fail(e, BT_E_FORMAT, "the socket ends within the request");
}

/* Later kernels may send more than is known here. */
static bool
read_request(int fd, struct request *r, bt_error_t *e)
{
	char rest[REQUEST_MAX];

	if (read_exactly(fd, r, sizeof(*r), e) == false)
		return false;
	if (r->size < sizeof(*r) || r->size > REQUEST_MAX ||
	    r->size_ack < sizeof(struct answer))
		return bt_fail(
		    e, BT_E_FORMAT, "a request of %u bytes", r->size);
	return read_exactly(fd, rest, r->size - sizeof(*r), e);
}

bool
socket_answer(int fd, bool wanted, bt_error_t *e)
{
	struct answer answer = {.size = sizeof(answer)};
	struct request request;
	uint32_t mark;

	if (read_request(fd, &request, e) == false)
		return false;
	answer.mask = wanted ? MASK_KERNEL | MASK_WAIT : MASK_REJECT;
	answer.mask &= request.mask;
	if (answer.mask == 0 || (wanted && (answer.mask & MASK_KERNEL) == 0))
		return bt_fail(e, BT_E_FORMAT, "the kernel offers 0x%llx",
		    (unsigned long long)request.mask);
	if (file_write(fd, &answer, sizeof(answer), e) == false ||
	    read_exactly(fd, &mark, sizeof(mark), e) == false)
		return false;
	return mark == MARK_AGREED ||
	    bt_fail(e, BT_E_FORMAT, "the kernel answers %u", mark);
}

/* SPDX-License-Identifier: MIT */
/*
 * Which form a record has is told by its first three words. In the older one
 * they are the si_signo, si_errno and si_code of a siginfo_t, in the newer one
 * a signal, a thread, and si_signo, which repeats the signal. si_errno is 0 for
 * all signals but SIGSYS, and no si_code of that is SIGSYS (it would be 31), so
 * one cannot pass for the other.
 */
#include "invoker/record.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

/* signo and tid, before the siginfo_t. */
#define PREFIX_SIZE (2 * sizeof(int))

size_t
record_head_size(void)
{

	return sizeof(siginfo_t);
}

void
record_parse(struct invoker_record *r, const void *head)
{
	int words[3];

	memcpy(words, head, sizeof(words));
	*r = (struct invoker_record){.signo = words[0]};
	if (words[0] > 0 && words[1] > 0 && words[2] == words[0])
		r->tid = words[1];
}

size_t
record_rest_size(const struct invoker_record *r)
{
	size_t size = sizeof(ucontext_t);

	/* The stack at the end of the newer form is not waited for: its length
	 * comes from the crashed process, and nobody needs it. */
	return r->tid != 0 ? size + PREFIX_SIZE : size;
}

static bool
read_exactly(int fd, void *data, size_t size, bt_error_t *e)
{
	char *p = data;

	while (size > 0) {
		ssize_t n = read(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bt_fail_os(
			    e, errno, "failed to read data from pipe");
		if (n == 0)
			return bt_fail(e, BT_E_FORMAT,
			    "failed to read data from pipe: pipe is closed");
		p += n;
		size -= (size_t)n;
	}
	return true;
}

bool
record_read(struct invoker_record *r, int fd, bt_error_t *e)
{
	union {
		siginfo_t head;
		char rest[sizeof(ucontext_t) + PREFIX_SIZE];
	} u;

	if (read_exactly(fd, &u.head, record_head_size(), e) == false)
		return false;
	record_parse(r, &u.head);
	return read_exactly(fd, u.rest, record_rest_size(r), e);
}

/* SPDX-License-Identifier: MIT */
/*
 * A library to be preloaded that makes a call of the C library fail, end short,
 * or kill the process, in the processes of a program that is tested:
 *
 *	INJECT="CALL WHERE HOW FIRST LAST" INJECT_COUNT=FILE
 *
 * CALL   a name of the table below, or "any" for all that take a descriptor
 * WHERE  "file" (only on regular files), "pipe", "any"
 * HOW    a number (errno), "short" (half is done), "kill" (before the call),
 *        "killed" (after it), "count" (nothing happens)
 * FIRST  the first call it concerns, from 0 on, and LAST the last; they are
 *        counted over all processes together, in a word of FILE
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { COUNT, FAIL, SHORT, KILL, KILLED };

static struct {
	char call[32], where[8];
	enum how how;
	int errnum;
	unsigned long first, last;
	atomic_ulong *count;
} inject;

__attribute__((constructor)) static void
begin(void)
{
	const char *text = getenv("INJECT"), *path = getenv("INJECT_COUNT");
	char how[16];
	int fd;
	void *map;

	if (text == NULL || path == NULL ||
	    sscanf(text, "%31s %7s %15s %lu %lu", inject.call, inject.where,
		how, &inject.first, &inject.last) != 5)
		return;
	inject.errnum = atoi(how);
	inject.how = inject.errnum != 0	 ? FAIL
	    : strcmp(how, "short") == 0	 ? SHORT
	    : strcmp(how, "kill") == 0	 ? KILL
	    : strcmp(how, "killed") == 0 ? KILLED
					 : COUNT;
	fd = open(path, O_RDWR | O_CLOEXEC);
	map = mmap(NULL, sizeof(atomic_ulong), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map != MAP_FAILED)
		inject.count = map;
}

static void
die(void)
{
	(void)syscall(SYS_kill, getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

/* fd -1: the call has none. */
static bool
concerns(const char *call, int fd)
{
	struct stat st;
	unsigned long n;

	if (inject.count == NULL)
		return false;
	if (strcmp(inject.call, call) != 0 &&
	    (strcmp(inject.call, "any") != 0 || fd == -1))
		return false;
	if (strcmp(inject.where, "any") != 0) {
		int errnum = errno;
		bool fits = fd >= 0 && fstat(fd, &st) == 0 &&
		    (inject.where[0] == 'f' ? S_ISREG(st.st_mode)
					    : S_ISFIFO(st.st_mode));

		errno = errnum;
		if (!fits)
			return false;
	}
	n = atomic_fetch_add(inject.count, 1);
	return n >= inject.first && n <= inject.last && inject.how != COUNT;
}

/* True: the call is not to be made. */
static bool
before(bool concerned)
{
	if (!concerned)
		return false;
	if (inject.how == KILL)
		die();
	errno = inject.errnum;
	return inject.how == FAIL;
}

static void
after(bool concerned)
{
	if (concerned && inject.how == KILLED)
		die();
}

#define WRAP(TYPE, NAME, PARAMETERS, ARGUMENTS, FD, FAILURE)                   \
	TYPE NAME PARAMETERS;                                                  \
	TYPE NAME PARAMETERS                                                   \
	{                                                                      \
		static TYPE(*next) PARAMETERS;                                 \
		bool concerned = concerns(#NAME, FD);                          \
		TYPE result;                                                   \
                                                                               \
		if (next == NULL)                                              \
			*(void **)&next = dlsym(RTLD_NEXT, #NAME);             \
		if (before(concerned))                                         \
			return FAILURE;                                        \
		result = next ARGUMENTS;                                       \
		after(concerned);                                              \
		return result;                                                 \
	}

WRAP(int, fsync, (int fd), (fd), fd, -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), fd, -1)
WRAP(int, linkat, (int d, const char *p, int e, const char *q, int flags),
    (d, p, e, q, flags), -2, -1)
WRAP(int, renameat, (int d, const char *p, int e, const char *q), (d, p, e, q),
    -2, -1)
WRAP(int, renameat2,
    (int d, const char *p, int e, const char *q, unsigned flags),
    (d, p, e, q, flags), -2, -1)
WRAP(int, unlinkat, (int d, const char *p, int flags), (d, p, flags), -2, -1)
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), -2,
    -1)
WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size), fd, -1)
WRAP(int, pipe2, (int *fds, int flags), (fds, flags), -2, -1)
WRAP(pid_t, fork, (void), (), -2, -1)
WRAP(ssize_t, read, (int fd, void *p, size_t size), (fd, p, size), fd, -1)
WRAP(ssize_t, pread64, (int fd, void *p, size_t size, off64_t at),
    (fd, p, size, at), fd, -1)
WRAP(ssize_t, process_vm_readv,
    (pid_t pid, const struct iovec *a, unsigned long n, const struct iovec *b,
	unsigned long m, unsigned long flags),
    (pid, a, n, b, m, flags), -2, -1)
WRAP(pid_t, waitpid, (pid_t pid, int *status, int options),
    (pid, status, options), -2, -1)
WRAP(void *, mmap64,
    (void *p, size_t size, int prot, int flags, int fd, off64_t at),
    (p, size, prot, flags, fd, at), -2, MAP_FAILED)

/* Half of what was asked for, where there are two halves. */
ssize_t
write(int fd, const void *data, size_t size)
{
	bool concerned = concerns("write", fd);
	ssize_t result;

	if (before(concerned))
		return -1;
	if (concerned && inject.how == SHORT && size > 1)
		size /= 2;
	result = syscall(SYS_write, fd, data, size);
	after(concerned);
	return result;
}

int
openat64(int dir, const char *path, int flags, ...)
{
	bool concerned = concerns("openat64", -2);
	int result;
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	if (before(concerned))
		return -1;
	result = (int)syscall(SYS_openat, dir, path, flags, mode);
	after(concerned);
	return result;
}

long
ptrace(int request, ...)
{
	bool concerned = concerns("ptrace", -2);
	long pid, result;
	void *address, *data;
	va_list ap;

	va_start(ap, request);
	pid = va_arg(ap, pid_t);
	address = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);
	if (before(concerned))
		return -1;
	result = syscall(SYS_ptrace, (long)request, pid, address, data);
	after(concerned);
	return result;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *
malloc(size_t size)
{

	return before(concerns("malloc", -1)) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{

	return before(concerns("malloc", -1)) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{

	return before(concerns("malloc", -1)) ? NULL : __libc_realloc(p, size);
}

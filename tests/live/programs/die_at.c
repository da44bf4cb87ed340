/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a tracer: dies by SIGKILL at the Nth request it makes from the
 * first one by which a target is changed on, just before or just after it:
 *
 *	DIE_AT=N DIE_WHEN=before|after DIE_FD=FD
 *
 * It writes "died" to that descriptor first; a tracer that has come to
 * its end without that has fewer requests.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GETSIGMASK = 0x420a };

static long at = -1, seen = -1;
static int before;

static void
die(void)
{
	if (write(atoi(getenv("DIE_FD")), "died", 4) != 4)
		_exit(3);
	kill(getpid(), SIGKILL);
}

static void
step(int is_before)
{
	if (at < 0) {
		at = getenv("DIE_AT") != NULL ? atol(getenv("DIE_AT")) : 0;
		before = getenv("DIE_WHEN") != NULL &&
		    strcmp(getenv("DIE_WHEN"), "before") == 0;
	}
	if (seen < 0)
		return;
	if (is_before)
		seen++;
	if (seen == at && is_before == before)
		die();
}

long
ptrace(enum __ptrace_request request, ...)
{
	long (*real)(enum __ptrace_request, pid_t, void *, void *) =
	    (long (*)(enum __ptrace_request, pid_t, void *, void *))dlsym(
		RTLD_NEXT, "ptrace");
	void *address, *data;
	pid_t pid;
	long result;
	va_list ap;

	va_start(ap, request);
	pid = va_arg(ap, pid_t);
	address = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);
	if ((int)request == GETSIGMASK && seen < 0)
		seen = 0;
	step(1);
	result = real(request, pid, address, data);
	step(0);
	return result;
}

ssize_t
process_vm_writev(pid_t pid, const struct iovec *local, unsigned long n,
    const struct iovec *remote, unsigned long m, unsigned long flags)
{
	ssize_t (*real)(pid_t, const struct iovec *, unsigned long,
	    const struct iovec *, unsigned long,
	    unsigned long) = (ssize_t(*)(pid_t, const struct iovec *,
	    unsigned long, const struct iovec *, unsigned long,
	    unsigned long))dlsym(RTLD_NEXT, "process_vm_writev");
	ssize_t result;

	step(1);
	result = real(pid, local, n, remote, m, flags);
	step(0);
	return result;
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
	pid_t (*real)(pid_t, int *, int) = (pid_t(*)(pid_t, int *, int))dlsym(
	    RTLD_NEXT, "waitpid");
	pid_t result = real(pid, status, options);

	/* What is there to be told is one step; asking for it is none. */
	if (result > 0 && seen >= 0) {
		step(1);
		step(0);
	}
	return result;
}

/* SPDX-License-Identifier: MIT */
/*
 * Starting a thread with all signals blocked.
 */
#include "base/thread.h"

#include <signal.h>

bool
thread_start(pthread_t *out, void *(*work)(void *), void *arg)
{
	sigset_t all, before;
	bool ok;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	ok = pthread_create(out, NULL, work, arg) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

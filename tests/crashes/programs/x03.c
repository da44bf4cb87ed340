/* SPDX-License-Identifier: MIT */
/*
 @id x03
 @cls abort
 @dir none
 @flags -O0 -g
 @never external-signal|sent by
 @mode core
 @note a handler for other work, called from outside, aborts for a reason of its own
*/
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void
handler(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	abort();
}
int
main(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR1, &action, 0);
	if (fork() == 0) {
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	wait(0);
	for (;;)
		pause();
}

/* SPDX-License-Identifier: MIT */
/*
 @id x02
 @cls external-signal
 @dir none
 @flags -O0 -g
 @says ^SIGTERM was sent by process \d+ .*; a handler caught it and ended the process by SIGABRT$
 @mode core
 @note a request to end, upon which the handler aborts
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
	sigaction(SIGTERM, &action, 0);
	if (fork() == 0) {
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	wait(0);
	for (;;)
		pause();
}

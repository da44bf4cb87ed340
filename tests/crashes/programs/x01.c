/* SPDX-License-Identifier: MIT */
/*
 @id x01
 @cls external-signal
 @dir none
 @flags -O0 -g
 @says ^SIGSEGV was sent by process \d+ .*; a handler caught it and ended the process by SIGSEGV$
 @mode core
 @note a handler passes on the signal that another process sent: the last siginfo names the process itself
*/
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void
handler(int number, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	signal(number, SIG_DFL);
	raise(number);
}
int
main(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &action, 0);
	if (fork() == 0) {
		kill(getppid(), SIGSEGV);
		_exit(0);
	}
	wait(0);
	for (;;)
		pause();
}

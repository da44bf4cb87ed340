/* SPDX-License-Identifier: MIT */
/*
 @id d09
 @cls stack-overflow
 @dir none
 @flags -O0 -g
 @says repeated \d+ times
 @also ^the frame of a signal did not fit into the \d+ bytes
 @mode core
 @note a handler raises its own signal again: the kernel finds no room for one
       more, and no instruction has failed
*/
#include <signal.h>
#include <string.h>
static void
again(int number)
{
	raise(number);
}
int
main(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = again;
	action.sa_flags = SA_NODEFER;
	sigaction(SIGUSR1, &action, NULL);
	return raise(SIGUSR1);
}

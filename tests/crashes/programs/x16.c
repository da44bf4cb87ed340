/* SPDX-License-Identifier: MIT */
/*
 @id x16
 @cls external-signal
 @dir none
 @flags -O0 -g
 @says ^SIGQUIT was sent by the kernel: the quit key
 @mode core
 @link -lutil
 @note the quit key of the terminal that the process runs on
*/
#include <pty.h>
#include <unistd.h>
#include <utmp.h>
int
main(void)
{
	int ours, theirs;

	if (openpty(&ours, &theirs, NULL, NULL, NULL) != 0 ||
	    login_tty(theirs) != 0 || write(ours, "\034", 1) != 1)
		return 1;
	for (;;)
		pause();
}

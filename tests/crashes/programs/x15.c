/* SPDX-License-Identifier: MIT */
/*
 @id x15
 @cls external-signal
 @dir none
 @flags -O0 -g
 @says ^SIGABRT was sent by a timer
 @never aborted
 @mode core
 @note a watchdog's timer: abort() was never called, and no process sent it
*/
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
int
main(void)
{
	struct itimerspec when = {{0, 0}, {0, 50000000}};
	struct sigevent event;
	timer_t timer;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGABRT;
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &when, NULL);
	for (;;)
		pause();
}

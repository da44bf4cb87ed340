/* SPDX-License-Identifier: MIT */
/*
 @id x17
 @cls abort
 @alt external-signal
 @dir none
 @flags -O0 -g
 @says ^another thread of the process sent SIGABRT
 @never aborted itself
 @mode core
 @note a watchdog wants to see what the main thread is at
*/
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
static pthread_t watched;
static void *
watch(void *p)
{
	usleep(100000);
	pthread_kill(watched, SIGABRT);
	return p;
}
int
main(void)
{
	pthread_t thread;

	watched = pthread_self();
	pthread_create(&thread, NULL, watch, NULL);
	for (;;)
		pause();
}

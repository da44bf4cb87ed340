/* SPDX-License-Identifier: MIT */
/*
 @id k08
 @cls self-deadlock
 @alt deadlock
 @dir none
 @flags -O0 -g
 @says waits for the heap's lock in a signal handler in tick, and holds it
 @mode hang
 @note a handler allocates, and interrupts an allocation in the end
*/
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>
static void
tick(int number)
{
	(void)number;
	free(malloc(3000));
}
static void *
idle(void *p)
{
	for (;;)
		pause();
	return p;
}
int
main(void)
{
	struct itimerval often = {{0, 200}, {0, 200}};
	static void *blocks[4000];
	pthread_t thread;
	sigset_t all;

	/* With one thread alone the heap is not locked at all. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_create(&thread, NULL, idle, NULL);
	signal(SIGALRM, tick);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (;;) {
		int i = rand() % 4000;

		free(blocks[i]);
		blocks[i] = malloc((size_t)rand() % 60000);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 @id k10
 @cls healthy
 @dir none
 @flags -O0 -g
 @mode hang
 @note the only thread waits for what a signal handler will post
*/
#include <semaphore.h>
#include <signal.h>
static sem_t stop;
static void
ask(int number)
{
	(void)number;
	sem_post(&stop);
}
int
main(void)
{
	sem_init(&stop, 0, 0);
	signal(SIGTERM, ask);
	while (sem_wait(&stop) != 0)
		;
	return 0;
}

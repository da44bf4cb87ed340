/* SPDX-License-Identifier: MIT */
/*
 @id o03
 @cls null-deref
 @alt abort
 @dir none
 @flags -O0 -g
 @says ^null pointer dereference in thread \d+: reading 8 bytes at 0x8$
 @also ^the thread is in a handler of SIGSEGV, while thread \d+ ended the process by SIGABRT$
 @mode core
 @note the handler wakes a thread that reports and aborts
*/
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct request {
	long id, size;
};
static sem_t crashed;
static void
handler(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	sem_post(&crashed);
	for (;;)
		pause();
}
static void *
report(void *p)
{
	while (sem_wait(&crashed) != 0)
		;
	abort();
	return p;
}
static void *
work(void *p)
{
	struct request *r = p;

	usleep(100000);
	return (void *)r->size;
}
int
main(void)
{
	struct sigaction action;
	pthread_t threads[2];

	sem_init(&crashed, 0, 0);
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &action, NULL);
	pthread_create(&threads[0], NULL, report, NULL);
	pthread_create(&threads[1], NULL, work, NULL);
	pthread_join(threads[1], NULL);
	return 0;
}

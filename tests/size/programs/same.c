/* SPDX-License-Identifier: MIT */
/* Threads that all do the same: same N. One more waits for all and crashes. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#define NI __attribute__((noinline))

static sem_t there;
static volatile long sink;

NI static void
wait_for_work(int number, const char *what)
{
	volatile int seen = number;

	sem_post(&there);
	for (;;)
		pause();
	sink += seen + what[0];
}

NI static void
serve(int number)
{
	struct {
		int number;
		long total;
		char name[16];
	} job = {number, number * 2L, "job"};

	wait_for_work(job.number, job.name);
	sink += job.total;
}

static void *
worker(void *arg)
{
	serve((int)(long)arg);
	return arg;
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;
	pthread_attr_t small;
	pthread_t t;

	sem_init(&there, 0, 0);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (int i = 0; i < n; i++)
		if (pthread_create(&t, &small, worker, (void *)(long)i) != 0)
			return 77;
	for (int i = 0; i < n; i++)
		sem_wait(&there);
	usleep(20000);
	abort();
}

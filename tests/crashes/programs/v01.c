/* SPDX-License-Identifier: MIT */
/*
 @id v01
 @cls wild-access
 @dir write
 @flags -O0 -g
 @says is held by p of put, thread \d+; h\[\].p of main, thread \d+; arg of worker, thread \d+; own\.p of worker, thread \d+$
 @also the pointer of the access that failed$
 @mode core
 @note the same bad pointer in two frames and in another thread
*/
#include <pthread.h>
#include <unistd.h>
struct holder {
	long x;
	char *p;
};
static pthread_barrier_t ready;
static void *
worker(void *arg)
{
	struct holder own = {2, (char *)arg};

	pthread_barrier_wait(&ready);
	for (;;)
		pause();
	return own.p;
}
__attribute__((noinline)) static void
put(char *p)
{
	*p = 1;
}
int
main(void)
{
	struct holder h[1] = {{1, (char *)0x123456789000}};
	pthread_t t;

	pthread_barrier_init(&ready, 0, 2);
	pthread_create(&t, 0, worker, h->p);
	pthread_barrier_wait(&ready);
	usleep(50000);
	put(h->p);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 @id w04
 @cls null-deref
 @dir read
 @flags -O2 -g -fstack-protector-all
 @never guard word|stack\.smash
 @mode core
 @note all functions keep guards, in threads, below a signal handler, with aligned and variable frames, in inlined functions: all are sound
*/
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
static pthread_barrier_t ready;
static volatile int sink;
__attribute__((noinline)) static void
rest(char *b)
{
	sink = b[0];
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
}
__attribute__((noinline)) static void
aligned(void)
{
	_Alignas(64) char b[128];

	memset(b, 1, sizeof(b));
	rest(b);
}
static void *
worker(void *arg)
{
	char *b = alloca((size_t)arg);

	memset(b, 2, (size_t)arg);
	aligned();
	return b;
}
static inline void
fails(int n)
{
	char b[32];

	memset(b, n, sizeof(b));
	sink = b[3];
	*(volatile int *)(long)(sink - n);
}
static void
handler(int number)
{
	fails(number);
}
int
main(int argc, char **argv)
{
	pthread_t t;

	(void)argv;
	pthread_barrier_init(&ready, 0, 2);
	pthread_create(&t, 0, worker, (void *)(100 * (long)argc));
	pthread_barrier_wait(&ready);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	return 0;
}

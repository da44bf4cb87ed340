/* SPDX-License-Identifier: MIT */
/*
 @id w02
 @cls null-deref
 @alt stack-smash
 @dir read
 @flags -O2 -g -fstack-protector-all -fno-omit-frame-pointer
 @also ^the stack of fill in thread \d+ was overwritten
 @mode core
 @note a thread that has overwritten its guard and not returned yet, while another one fails
*/
#include <pthread.h>
#include <string.h>
#include <unistd.h>
static pthread_barrier_t ready;
static char source[64];
__attribute__((noinline)) static void
fill(size_t n)
{
	char buffer[24];
	char *volatile to = buffer;
	long guard, here = 0;

	__asm__("mov %%fs:0x28, %0" : "=r"(guard));
	for (; here != guard; to += 8)
		memcpy(&here, to, 8);
	memset(to - 8, 'B', n);
	__asm__ volatile("" : : "r"(to) : "memory");
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
}
static void *
worker(void *arg)
{
	fill((size_t)arg);
	return source;
}
__attribute__((noinline)) static int
fails(int *volatile p)
{
	return *p;
}
int
main(int argc, char **argv)
{
	pthread_t t;

	(void)argv;
	pthread_barrier_init(&ready, 0, 2);
	pthread_create(&t, 0, worker, (void *)(7 + (long)argc));
	pthread_barrier_wait(&ready);
	usleep(50000);
	return fails(0);
}

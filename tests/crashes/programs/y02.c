/* SPDX-License-Identifier: MIT */
/*
 @id y02
 @cls stack-overflow
 @dir write
 @flags -O0 -g -pthread
 @never rlimit|RLIMIT
 @mode core
 @note a thread's stack: it has a size, and no limit kept it from growing
*/
#include <pthread.h>
__attribute__((noinline)) static int
deeper(int n)
{
	volatile char room[64];

	room[0] = (char)n;
	return deeper(n + 1) + room[0];
}
static void *
worker(void *arg)
{
	return (void *)(long)deeper(arg != 0);
}
int
main(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_create(&t, &attr, worker, 0);
	pthread_join(t, 0);
	return 0;
}

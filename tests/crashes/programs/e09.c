/* SPDX-License-Identifier: MIT */
/*
 @id e09
 @cls stack-corruption
 @dir write
 @flags -O0 -g
 @mode core
 The same of a thread, beyond its control block.
*/
#define _GNU_SOURCE
#include <pthread.h>

__attribute__((noinline)) static void
copy(char *d, int c)
{
	for (;;)
		*d++ = (char)c;
}
static void *
t(void *p)
{
	char b[64];
	copy(b, 's');
	return p;
}
int
main()
{
	pthread_t x;
	pthread_create(&x, 0, t, 0);
	pthread_join(x, 0);
	return 0;
}

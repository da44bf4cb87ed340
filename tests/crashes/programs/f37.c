/* SPDX-License-Identifier: MIT */
/*
 @id f37
 @cls heap-overflow
 @flags -O0 -g
 @mode core
 @variants no (what nobody reads is not written)
 Nobody calls free: a thread gives its cache back when it ends.
*/
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void *
t(void *x)
{
	char *a = malloc(56), *b = malloc(56), *c = malloc(56);
	free(c);
	free(b);
	memset(a, 'T', 100);
	return x;
}
int
main()
{
	pthread_t p;
	pthread_create(&p, 0, t, 0);
	pthread_join(p, 0);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 @id g10
 @cls use-after-free
 @flags -O0 -g
 @mode core
 Noticed when the thread ends.
*/
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static char *volatile last;
static void *
t(void *x)
{
	char *a = malloc(56), *b = malloc(56);
	free(b);
	free(a);
	strcpy(a, "written by somebody who still has it");
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

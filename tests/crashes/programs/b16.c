/* SPDX-License-Identifier: MIT */
/*
 @id b16
 @cls uninit-pointer
 @alt nx-exec
 @dir exec
 @flags -O0 -g
 @mode core
 What the arena left in a block that was cut from a larger one.
*/
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

struct job {
	long prio;
	void (*fn)(void *);
	void *arg;
};
__attribute__((noinline)) static void
run(struct job *j)
{
	j->fn(j->arg);
}
int
main()
{
	char *big = malloc(2000), *g = malloc(24);
	memset(big, 0, 2000);
	free(big);
	struct job *j = malloc(200);
	j->prio = 4;
	run(j);
	return g[0];
}

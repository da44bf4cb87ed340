/* SPDX-License-Identifier: MIT */
/*
 @id g09
 @cls use-after-free
 @flags -O0 -g
 @mode core
 @never twice
 Both links of a free block were set; a list that is broken in one direction is
 read from both ends.
*/
#define _GNU_SOURCE
#include <stdlib.h>

struct big {
	struct big *next, *prev;
	char d[1500];
};
__attribute__((noinline)) static void
unlink_(struct big *b)
{
	b->next = b;
	b->prev = (struct big *)b->d;
}
int
main()
{
	struct big *a = malloc(sizeof *a);
	char *g = malloc(24);
	free(a);
	unlink_(a);
	char *p = malloc(3000);
	char *q = malloc(900);
	return g[0] + p[0] + q[0];
}

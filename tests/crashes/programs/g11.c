/* SPDX-License-Identifier: MIT */
/*
 @id g11
 @cls use-after-free
 @flags -O0 -g
 @mode core
 Noticed when the list is emptied; it is gone from the arena by then.
*/
#define _GNU_SOURCE
#include <stdlib.h>

struct s {
	struct s *n, *p;
	long k;
};
__attribute__((noinline)) static void
set(struct s *x)
{
	x->n = x;
}
int
main()
{
	struct s *v[20];
	for (int i = 0; i < 20; i++)
		v[i] = malloc(40);
	for (int i = 0; i < 12; i++)
		free(v[i]);
	set(v[9]);
	char *b = malloc(2000);
	return b[0];
}

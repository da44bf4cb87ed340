/* SPDX-License-Identifier: MIT */
/*
 @id f35
 @cls double-free
 @alt use-after-free
 @flags -O0 -g
 @mode core
 A block with a mapping of its own, which the first free gives back.
*/
#define _GNU_SOURCE
#include <stdlib.h>

__attribute__((noinline)) static void
release(char *p)
{
	free(p);
}
int
main()
{
	char *p = malloc(600000);
	p[0] = 1;
	release(p);
	release(p);
	return 0;
}

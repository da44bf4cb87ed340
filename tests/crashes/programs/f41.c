/* SPDX-License-Identifier: MIT */
/*
 @id f41
 @cls invalid-free
 @alt ptr-truncated,wild-access
 @flags -O0 -g
 @mode core
 Through an int, and back.
*/
#define _GNU_SOURCE
#include <stdlib.h>

__attribute__((noinline)) static void
drop(int h)
{
	free((void *)(long)h);
}
int
main()
{
	void *p = malloc(64);
	drop((int)(long)p);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 @id f45
 @cls heap-overflow
 @flags -O0 -g
 @mode core
 @says went on up to there
 Up to the end of the heap.
*/
#define _GNU_SOURCE
#include <stdlib.h>

__attribute__((noinline)) static void
fill(int *p, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = i;
}
int
main()
{
	int *p = malloc(1000);
	fill(p, 10000000);
	return p[3];
}

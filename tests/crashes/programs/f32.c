/* SPDX-License-Identifier: MIT */
/*
 @id f32
 @cls heap-overflow
 @flags -O0 -g
 @mode core
 @variants no (what nobody reads is not written)
 @says equal steps
 One int too many: the lower half of the next size.
*/
#define _GNU_SOURCE
#include <stdlib.h>

__attribute__((noinline)) static void
count(int *h, const char *s)
{
	for (; *s; s++)
		h[*s - 'a'] += 7;
}
int
main()
{
	int *a = calloc(6, sizeof(int)), *b = calloc(6, sizeof(int)),
	    *c = calloc(6, 4);
	b[0] = 4;
	for (int i = 0; i <= 6; i++)
		a[i] = i + 1;
	free(b);
	free(c);
	return 0;
}

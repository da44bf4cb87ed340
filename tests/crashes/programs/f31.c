/* SPDX-License-Identifier: MIT */
/*
 @id f31
 @cls heap-overflow
 @dir write
 @flags -O0 -g
 @mode core
 @never stack\.smash
 The block has a mapping of its own; what lies behind it is overwritten as
 well: the thread's control block, with the word that guards are compared with.
*/
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

__attribute__((noinline)) static void
fill(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = 'x';
}
static void *
t(void *x)
{
	char *p = malloc(300000);
	fill(p, 500000);
	return x;
}
int
main()
{
	char *g = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = malloc(300000);
	fill(p, 4000000);
	return g != 0;
}

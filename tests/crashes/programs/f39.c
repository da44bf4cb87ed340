/* SPDX-License-Identifier: MIT */
/*
 @id f39
 @cls invalid-free
 @flags -O0 -g
 @mode core
 Pages that mmap returned, which nothing lies in front of.
*/
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

__attribute__((noinline)) static void
drop(void *p)
{
	free(p);
}
int
main()
{
	free(malloc(9));
	char *g = mmap(0, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(g + 4096, 4096, 3);
	drop(g + 4096);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 @id f42
 @cls invalid-free
 @flags -O2 -g
 @mode core
 No block was ever handed out.
*/
#define _GNU_SOURCE
#include <stdlib.h>

static long pool[32];
__attribute__((noinline)) static void
drop(void *p)
{
	free(p);
}
int
main()
{
	drop(&pool[4]);
	return 0;
}

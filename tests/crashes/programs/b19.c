/* SPDX-License-Identifier: MIT */
/*
 @id b19
 @cls ptr-truncated
 @dir write
 @flags -O2 -g
 @mode core
 The address of a local variable.
*/
#define _GNU_SOURCE
#include <stdint.h>

__attribute__((noinline)) static unsigned
handle(long *p)
{
	return (unsigned)(uintptr_t)p;
}
__attribute__((noinline)) static void
put(unsigned id, long v)
{
	*(long *)(uintptr_t)id = v;
}
int
main()
{
	long local = 4;
	unsigned id = handle(&local);
	put(id, 7);
	return (int)local;
}

/* SPDX-License-Identifier: MIT */
/*
 @id v02
 @cls wild-access
 @dir read
 @flags -O0 -g
 @says or a pointer into the same block, is held by .*cursor of main, thread \d+ \(40 bytes above\)
 @never other of main
 @mode core
 @note an index far outside of a block of the heap, into which another variable points, too; one more points to the next block
*/
#include <stdlib.h>
__attribute__((noinline)) static long
at(const long *items, long i)
{
	register const long *base __asm__("rbx") = items;
	register long value __asm__("rcx");

	__asm__ volatile("mov (%1,%2,8), %0" : "=r"(value) : "r"(base), "r"(i));
	return value;
}
int
main(int argc, char **argv)
{
	long *items = malloc(20 * sizeof(*items));
	long *other = malloc(20 * sizeof(*items));
	long *cursor = items + 5;

	(void)argv;
	*other = *cursor = argc;
	return (int)at(items, (long)argc << 40);
}

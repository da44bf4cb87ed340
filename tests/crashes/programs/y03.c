/* SPDX-License-Identifier: MIT */
/*
 @id y03
 @cls null-deref
 @alt bad-argument
 @dir write
 @flags -O1 -g
 @says ^errno is ENOMEM: malloc failed for want of memory
 @mode core
 @note RLIMIT_AS
*/
#include <stdlib.h>
#include <sys/resource.h>
__attribute__((noinline)) static int
fill(size_t n)
{
	volatile long *p = malloc(n);

	*p = 1;
	return (int)*p;
}
int
main(int argc, char **argv)
{
	struct rlimit limit = {64 << 20, 64 << 20};

	(void)argv;
	setrlimit(RLIMIT_AS, &limit);
	return fill((size_t)argc << 27);
}

/* SPDX-License-Identifier: MIT */
/*
 @id y04
 @cls null-deref
 @dir write
 @flags -O1 -g
 @says ^the pointer is -1: what mmap
 @also ^errno is ENOMEM: mmap failed
 @mode core
*/
#include <sys/mman.h>
#include <sys/resource.h>
__attribute__((noinline)) static int
fill(size_t n)
{
	char *p = mmap(
	    0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

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

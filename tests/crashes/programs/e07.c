/* SPDX-License-Identifier: MIT */
/*
 @id e07
 @cls stack-corruption
 @flags -O0 -g -fno-stack-protector
 @mode core
 @variants no (it overwrites what another layout has elsewhere)
 @says frame pointer
 All of the frame pointer.
*/
#define _GNU_SOURCE
#include <string.h>

__attribute__((noinline)) static void
read_name(char *b, int n)
{
	memset(b, 'A', n);
}
__attribute__((noinline)) static int
f(void)
{
	char b[16];
	read_name(b, 24);
	return b[0];
}
int
main()
{
	int k = f();
	volatile int z = k;
	return z + k;
}

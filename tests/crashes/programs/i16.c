/* SPDX-License-Identifier: MIT */
/*
 @id i16
 @cls abort
 @dir none
 @flags -O0 -g -ftrapv
 @says ^a signed integer overflowed
 @mode core
 @variants no (clang's check is an instruction, and other levels drop it)
 @note checked arithmetic
*/
#include <limits.h>
int
main(int argc, char **argv)
{
	volatile int n = INT_MAX;

	(void)argv;
	return n + argc;
}

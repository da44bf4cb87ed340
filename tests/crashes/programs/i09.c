/* SPDX-License-Identifier: MIT */
/*
 @id i09
 @cls assert
 @dir none
 @flags -O1 -static -s
 @says ^assertion failed: .*Assertion `n > 3' failed\.$
 @mode core
 @note the library is part of the program, and no function has a name: the
       text lies where only a variable points to
*/
#include <assert.h>
static volatile int n = 3;
int
main(void)
{
	assert(n > 3);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 @id i11
 @cls uncaught-exception
 @alt abort
 @dir none
 @flags -O0 -g
 @says "throw;" where no exception is handled
 @mode core
 @note nothing is there to be thrown again
*/
__attribute__((noinline)) static void
fail()
{
	throw;
}
int
main()
{
	fail();
}

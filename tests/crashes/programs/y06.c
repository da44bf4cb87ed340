/* SPDX-License-Identifier: MIT */
/*
 @id y06
 @cls null-deref
 @dir read
 @flags -O1 -g
 @never errno|rlimit|RLIMIT
 @mode core
 @note errno is of an earlier failure; the null comes from the program itself
*/
#include <errno.h>
__attribute__((noinline)) static int *
look(int n)
{
	return n > 1 ? &errno : 0;
}
__attribute__((noinline)) static int
use(int *p)
{
	return *p;
}
int
main(int argc, char **argv)
{
	(void)argv;
	errno = ENOMEM;
	return use(look(argc));
}

/* SPDX-License-Identifier: MIT */
/*
 @id x04
 @cls abort
 @dir none
 @flags -O0 -g
 @says ^the process ended itself: it raised SIGSEGV
 @never external
 @mode core
 @note raise(SIGSEGV)
*/
#include <signal.h>
int
main(void)
{
	return raise(SIGSEGV);
}

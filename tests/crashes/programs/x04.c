/* SPDX-License-Identifier: MIT */
/*
 @id x04
 @cls external-signal
 @dir none
 @flags -O0 -g
 @says ^SIGSEGV was raised by the process itself: no access failed$
 @mode core
 @note raise(SIGSEGV)
*/
#include <signal.h>
int
main(void)
{
	return raise(SIGSEGV);
}

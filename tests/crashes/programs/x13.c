/* SPDX-License-Identifier: MIT */
/*
 @id x13
 @cls external-signal
 @dir none
 @flags -O0 -g
 @says ^SIGXCPU was sent by the kernel: .* RLIMIT_CPU
 @also ^rlimit\.cpu$
 @mode core
 @note the processor time is used up
*/
#include <sys/resource.h>
int
main(void)
{
	struct rlimit limit = {1, 100};

	setrlimit(RLIMIT_CPU, &limit);
	for (volatile long n = 0;; n++)
		;
}

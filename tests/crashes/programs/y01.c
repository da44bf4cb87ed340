/* SPDX-License-Identifier: MIT */
/*
 @id y01
 @cls stack-overflow
 @dir write
 @flags -O0 -g
 @says ^RLIMIT_STACK \(ulimit -s\) kept it from growing: the limit is between 20[0-4]\d and 20[45]\d KiB$
 @also ^rlimit\.stack$
 @mode core
 @note the main stack, with a limit of 2 MiB
*/
#include <sys/resource.h>
#include <unistd.h>
__attribute__((noinline)) static int
deeper(int n)
{
	volatile char room[64];

	room[0] = (char)n;
	return deeper(n + 1) + room[0];
}
int
main(int argc, char **argv, char **envp)
{
	struct rlimit limit = {2 << 20, 2 << 20};

	setrlimit(RLIMIT_STACK, &limit);
	if (argc == 1)
		execle("/proc/self/exe", argv[0], "again", (char *)0, envp);
	return deeper(argc);
}

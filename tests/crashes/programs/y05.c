/* SPDX-License-Identifier: MIT */
/*
 @id y05
 @cls null-deref
 @dir read
 @flags -O1 -g
 @says ^errno is EMFILE
 @also ^rlimit\.nofile$
 @mode core
 @note opendir gives null when no file descriptor is left
*/
#include <dirent.h>
#include <sys/resource.h>
__attribute__((noinline)) static int
first(const char *path)
{
	DIR *d = opendir(path);

	return *(volatile int *)d;
}
int
main(void)
{
	struct rlimit limit = {3, 3};

	setrlimit(RLIMIT_NOFILE, &limit);
	return first("/");
}

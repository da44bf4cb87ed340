/* SPDX-License-Identifier: MIT */
/*
 @id f38
 @cls double-free
 @flags -O0 -g
 @mode core
 The pointer is in no register, but with sound blocks the words are clear.
*/
#define _GNU_SOURCE
#include <dirent.h>

__attribute__((noinline)) static int
list(DIR *d)
{
	return closedir(d);
}
int
main()
{
	DIR *d = opendir("/");
	list(d);
	return list(d);
}

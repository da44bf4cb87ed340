/* SPDX-License-Identifier: MIT */
/*
 @id b18
 @cls wild-access
 @alt buffer-overread
 @dir read
 @flags -O0 -g
 @mode core
 @never bitflip
 An index that is a power of two.
*/
#define _GNU_SOURCE
#include <stdlib.h>

struct e {
	long k;
	void *v;
};
__attribute__((noinline)) static void *
get(struct e *t, unsigned long i)
{
	return t[i].v;
}
int
main(int n, char **v)
{
	struct e *t = calloc(64, sizeof *t);
	return get(t, 0x4000000ul * n) != 0;
}

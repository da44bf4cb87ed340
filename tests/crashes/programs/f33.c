/* SPDX-License-Identifier: MIT */
/*
 @id f33
 @cls heap-overflow
 @flags -O0 -g
 @mode core
 @says records
 One record too many, each with pointers.
*/
#define _GNU_SOURCE
#include <stdlib.h>

struct item {
	void *p;
	const char *name;
	long n;
};
__attribute__((noinline)) static void
set(struct item *v, int n)
{
	for (int i = 0; i < n; i++) {
		v[i].p = v;
		v[i].name = "item";
		v[i].n = i;
	}
}
int
main()
{
	struct item *a = malloc(5 * sizeof *a);
	struct item *b = malloc(5 * sizeof *b);
	set(b, 5);
	set(a, 6);
	free(b);
	free(a);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 @id f46
 @cls uninit-pointer
 @dir read
 @flags -O0 -g
 @mode core
 @never heap\.uaf
 The loop has read the link that the allocator left in a block that is in use
 again.
*/
#define _GNU_SOURCE
#include <stdlib.h>

struct node {
	struct node *next;
	long v;
};
__attribute__((noinline)) static long
sum(struct node *n)
{
	long s = 0;
	while (n) {
		s += n->v;
		n = n->next;
	}
	return s;
}
int
main()
{
	for (int i = 0; i < 5; i++) {
		void *a = malloc(16), *b = malloc(16);
		free(a);
		free(b);
	}
	struct node *n = malloc(sizeof *n);
	n->v = 3;
	return (int)sum(n);
}

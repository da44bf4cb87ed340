/* SPDX-License-Identifier: MIT */
/*
 @id v03
 @cls null-deref
 @dir read
 @flags -O0 -g
 @never is held by|access that failed|near it
 @mode core
 @note null pointers have no aliases: half of all variables may be null
*/
#include <stddef.h>
struct node {
	struct node *next, *other;
	long value;
};
__attribute__((noinline)) static long
sum(struct node *n)
{
	struct node *spare = NULL;

	return n->value + (spare != NULL);
}
int
main(void)
{
	struct node first = {NULL, NULL, 1};

	return (int)sum(first.next);
}

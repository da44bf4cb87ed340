/* SPDX-License-Identifier: MIT */
/*
 @id f25
 @cls null-deref
 @dir read
 @flags -O0 -g
 @mode core
 @never too small|past its end|heap\.
*/
#include <stdlib.h>
#include <string.h>
/* Blocks as large as they must be, pointers of other types into them. */
struct head { long n; char text[1]; };
struct item { long a, b, c; };
__attribute__((noinline)) static long get(struct head *h, char *raw, void *any, struct item *all, long *null) { return h->n + raw[0] + *(long *)any + all[1].c + *null; }
int main(void)
{
	struct head *h = malloc(sizeof *h + 100);
	struct item *all = calloc(3, sizeof *all);
	h->n = 100;
	memset(h->text, 'x', 100);
	return get(h, (char *)all, h, all, NULL);
}

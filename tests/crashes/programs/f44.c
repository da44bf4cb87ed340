/* SPDX-License-Identifier: MIT */
/*
 @id f44
 @cls heap-overflow
 @flags -O0 -g
 @mode core
 @variants no (what nobody reads is not written)
 @says read from there
 The pointer that was called was run over, with the header in front of it.
*/
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

struct obj {
	int (*fn)(void *);
	char *data;
	long k[2];
};
static int
f(void *p)
{
	return p != 0;
}
__attribute__((noinline)) static int
run(struct obj *o)
{
	return o->fn(o->data);
}
int
main()
{
	char *b = malloc(32);
	struct obj *o = malloc(sizeof *o);
	o->fn = f;
	strcpy(b,
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/"
	    "bin");
	return run(o);
}

/* SPDX-License-Identifier: MIT */
/*
 @id e10
 @cls stack-use-after-return
 @dir read
 @flags -O0 -g
 @mode core
 @variants no (what the calls leave on the stack is another thing)
 The way leads through a global variable.
*/
#define _GNU_SOURCE
#include <string.h>

struct ctx {
	char *name;
	long n;
};
static struct ctx *reg;
__attribute__((noinline)) static void
later(struct ctx *c)
{
	reg = c;
}
__attribute__((noinline)) static void
setup(void)
{
	struct ctx c = {"name", 3};
	later(&c);
}
__attribute__((noinline)) static void
other(void)
{
	volatile char b[400];
	memset((char *)b, 0x61, sizeof b);
}
__attribute__((noinline)) static long
fire(void)
{
	return reg->name[0] + reg->n;
}
int
main()
{
	setup();
	other();
	return (int)fire();
}

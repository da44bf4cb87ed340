/* SPDX-License-Identifier: MIT */
/*
 @id w03
 @cls stack-smash
 @alt noncanonical-access,ascii-pointer
 @dir read
 @flags -O0 -g -fstack-protector-all
 @also ^text lies just below the guard word$
 @mode core
 @note the overflow ran over the guard, and over a pointer of the caller that is used first
*/
#include <string.h>
struct two {
	char text[16];
	long *p;
};
__attribute__((noinline)) static long
use(struct two *t)
{
	return *t->p;
}
__attribute__((noinline)) static long
parse(const char *from, size_t n)
{
	long *where = 0;
	struct two inner = {"", 0};
	char text[16];
	char *to = text;
	long guard, here = 0;

	__asm__("mov %%fs:0x28, %0" : "=r"(guard));
	for (; here != guard; to += 8)
		memcpy(&here, to, 8);
	inner.p = where;
	memcpy(to - 8, from, n);
	memcpy((char *)&inner + 16, from, sizeof(inner.p));
	return use(&inner);
}
int
main(int argc, char **argv)
{
	static const char bad[] = "CCCCCCCCDDDDDDDDEEEEEEEEFFFFFFFF";

	(void)argv;
	return (int)parse(bad, 7 + (size_t)argc);
}

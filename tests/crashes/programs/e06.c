/* SPDX-License-Identifier: MIT */
/*
 @id e06
 @cls stack-corruption
 @flags -O0 -g -fno-stack-protector
 @mode core
 @variants no (it overwrites what another layout has elsewhere)
 @says frame pointer
 One byte too many: the end of the text goes over the lowest byte of the frame
 pointer.
*/
#define _GNU_SOURCE
#include <stdint.h>

struct req {
	long a[12];
	char *p;
};
__attribute__((noinline)) static void
copy(char *b, const char *s)
{
	while ((*b++ = *s++))
		;
}
__attribute__((noinline)) static int
f(void)
{
	char b[32];
	copy(b, "01234567890123456789012345678901");
	return b[0];
}
__attribute__((noinline)) static int
g(struct req *r)
{
	/* Its last byte must not be zero already. */
	if (((uintptr_t)__builtin_frame_address(0) & 0xff) < 0x80)
		return g(r) + 1;
	int k = f();
	return k + *r->p;
}
int
main()
{
	char c = 1;
	struct req r;
	r.p = &c;
	return g(&r);
}

/* SPDX-License-Identifier: MIT */
/*
 @id e08
 @cls stack-corruption
 @dir write
 @flags -O0 -g
 @mode core
 Without an end, up to the end of the stack.
*/
#define _GNU_SOURCE

__attribute__((noinline)) static void
copy(char *d, int c)
{
	for (;;)
		*d++ = (char)c;
}
int
main()
{
	char b[64];
	copy(b, 's');
	return b[0];
}

/* SPDX-License-Identifier: MIT */
/*
 @id i15
 @cls stack-smash
 @dir none
 @flags -O1 -g -fstack-protector-all
 @link -specs=/usr/lib/x86_64-linux-musl/musl-gcc.specs
 @says ^stack smashing: a local array of fill was written past its end$
 @never not allowed in user mode
 @needs musl-gcc
 @mode core
 @variants no (it is of another C library)
 @note musl's checks end in an instruction that no program may execute
*/
__attribute__((noinline)) static int
fill(int n)
{
	volatile char text[8];

	for (int i = 0; i < n; i++)
		text[i] = (char)i;
	return text[2];
}
int
main(int argc, char **argv)
{
	(void)argv;
	return fill(argc * 64);
}

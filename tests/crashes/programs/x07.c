/* SPDX-License-Identifier: MIT */
/*
 @id x07
 @cls trap
 @dir none
 @flags -O0 -g
 @says ^breakpoint instruction \(int3\)
 @mode core
 @note the instruction behind the breakpoint is a division by zero: it has not run
*/
int
main(void)
{
	__asm__ volatile("xor %%ecx, %%ecx; int3; div %%ecx" : : : "eax", "ecx", "edx");
	return 0;
}

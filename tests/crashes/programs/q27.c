/* SPDX-License-Identifier: MIT */
/*
 @id q27
 @cls privileged-insn
 @dir none
 @flags -O0 -g
 @says ^"int 0x41" is not allowed in user mode$
 @mode core
 @note an interrupt that is not for programs
*/
int
main(void)
{
	__asm__ volatile("int $0x41");
	return 0;
}

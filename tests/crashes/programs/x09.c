/* SPDX-License-Identifier: MIT */
/*
 @id x09
 @cls null-deref
 @dir read
 @flags -O0 -g
 @also ^text\.corrupt$
 @mode core
 @note one bit of the code next to the fault differs from the file
*/
#include <stdint.h>
#include <sys/mman.h>
__attribute__((noinline, aligned(64))) static int
victim(volatile int *p)
{
	__asm__ volatile(".globl mark\nmark: nop; nop");
	return *p;
}
extern uint8_t mark[];
int
main(void)
{
	uint8_t *page = (uint8_t *)((uintptr_t)mark & ~4095ul);

	mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
	mark[1] ^= 1; /* a nop becomes an exchange of two registers */
	return victim(0);
}

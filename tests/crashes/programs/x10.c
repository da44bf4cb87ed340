/* SPDX-License-Identifier: MIT */
/*
 @id x10
 @cls null-deref
 @dir read
 @flags -O0 -g
 @never text\.corrupt
 @mode core
 @note code that was patched on purpose: many bits differ
*/
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
__attribute__((noinline, aligned(64))) static int
victim(volatile int *p)
{
	__asm__ volatile(".globl mark\nmark: nop; nop; nop; nop; nop");
	return *p;
}
extern uint8_t mark[];
int
main(void)
{
	uint8_t *page = (uint8_t *)((uintptr_t)mark & ~4095ul);

	mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy(mark, "\x0f\x1f\x44\x00\x00", 5);
	return victim(0);
}

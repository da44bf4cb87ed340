/* SPDX-License-Identifier: MIT */
/*
 @id w01
 @cls stack-smash
 @dir none
 @flags -O0 -g -fstack-protector-strong
 @says ^the guard word at 0x[0-9a-f]+ is 0x4141414141414141, expected 0x[0-9a-f]+00$
 @also ^name lies just below the guard word$
 @mode core
 @note which array, and what stands where
*/
#include <string.h>
__attribute__((noinline)) static int
greet(const char *who)
{
	char greeting[8] = "hello", name[16];
	int n = 0;

	strcpy(name, who);
	__asm__ volatile("" : : "r"(name) : "memory");
	while (name[n] != '\0')
		n++;
	return n + greeting[0];
}
int
main(void)
{
	return greet("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

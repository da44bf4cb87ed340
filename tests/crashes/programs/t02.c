/* SPDX-License-Identifier: MIT */
/*
 @id t02
 @cls wild-access
 @dir write
 @flags -O2 -g -mavx512f
 @says lane 7 \(of 16\) has the index 0x20000000
 @needs avx512f
 @mode core
 @note scatter from the upper sixteen vector registers; the lanes 3 and 12 are masked out
*/
#include <immintrin.h>
static int table[64];
__attribute__((noinline)) static void
spread(int *t, int bad)
{
	__m512i index = _mm512_set_epi32(15, 14, 13, bad + 1, 11, 10, 9, 8, bad,
	    6, 5, 4, bad - 1, 2, 1, 0);
	register __m512i where __asm__("zmm21") = index;
	__mmask16 mask = 0xeff7;

	__asm__ volatile("kmovw %0, %%k3; vpscatterdd %%zmm16, (%1,%%zmm21,4)"
			 "%{%%k3%}"
			 :
			 : "r"((int)mask), "r"(t), "v"(where)
			 : "memory", "k3");
}
int
main(int argc, char **argv)
{
	(void)argv;
	spread(table, argc << 29);
	return table[7];
}

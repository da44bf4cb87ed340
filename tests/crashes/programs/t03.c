/* SPDX-License-Identifier: MIT */
/*
 @id t03
 @cls null-deref
 @dir read
 @flags -O2 -g -mavx2
 @says lane 0 \(of 8\) has the index 0x3
 @also handler
 @needs avx2
 @mode core
 @note gather through null, caught by a handler that changes all vector registers: those of the fault lie in its signal frame
*/
#include <immintrin.h>
#include <signal.h>
#include <stdlib.h>
static void
handler(int number)
{
	(void)number;
	__asm__ volatile("vpcmpeqd %%ymm0, %%ymm0, %%ymm0\n"
			 "vmovdqa %%ymm0, %%ymm1\nvmovdqa %%ymm0, %%ymm2\n"
			 "vmovdqa %%ymm0, %%ymm3\nvmovdqa %%ymm0, %%ymm4"
			 :
			 :
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4");
	abort();
}
__attribute__((noinline)) static int
pick(const int *t)
{
	__m256i got = _mm256_i32gather_epi32(
	    t, _mm256_set_epi32(17, 15, 13, 11, 9, 7, 5, 3), 4);

	return _mm256_extract_epi32(got, 2);
}
int
main(int argc, char **argv)
{
	(void)argv;
	signal(SIGSEGV, handler);
	return pick((const int *)(long)(argc - 1));
}

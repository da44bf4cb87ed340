/* SPDX-License-Identifier: MIT */
/*
 @id t04
 @cls noncanonical-access
 @alt ascii-pointer
 @dir read
 @flags -O2 -g -mavx2
 @also "ABCDEFG
 @never null
 @needs avx2
 @mode core
 @note gather through a vector of pointers, no base at all; the null one is masked out
*/
#include <immintrin.h>
#include <string.h>
static const char text[] = "ABCDEFGH";
__attribute__((noinline)) static long
all(long bad, long good)
{
	__m256i where = _mm256_set_epi64x(bad, good, 0, good);
	__m256i mask = _mm256_set_epi64x(-1, -1, 0, -1);
	__m256i got = _mm256_setzero_si256();

	__asm__ volatile("vpgatherqq %1, (,%2,1), %0"
			 : "+x"(got), "+x"(mask)
			 : "x"(where)
			 : "memory");
	return _mm256_extract_epi64(got, 3);
}
int
main(void)
{
	static long value;
	long bad;

	memcpy(&bad, text, sizeof(bad));
	return (int)all(bad, (long)&value);
}

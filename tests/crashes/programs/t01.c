/* SPDX-License-Identifier: MIT */
/*
 @id t01
 @cls noncanonical-access
 @dir read
 @flags -O2 -g -mavx2
 @says lane 2 \(of 4\) has the index 0x4000000000000000
 @needs avx2
 @mode core
 @note gather: lane 1 has a worse index, but its mask says that it is not read
*/
#include <immintrin.h>
static long table[8];
__attribute__((noinline)) static long
pick(const long *t, long a, long b)
{
	__m256i index = _mm256_set_epi64x(0, b, a, 0);
	__m256i mask = _mm256_set_epi64x(-1, -1, 0, -1);
	__m256i got = _mm256_mask_i64gather_epi64(
	    _mm256_setzero_si256(), (const long long *)t, index, mask, 1);

	return _mm256_extract_epi64(got, 2);
}
int
main(int argc, char **argv)
{
	(void)argv;
	return (int)pick(table, (long)argc << 61, (long)argc << 62);
}

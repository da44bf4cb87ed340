/* SPDX-License-Identifier: MIT */
/*
 @id b10
 @cls wild-access
 @dir read
 @addr t+0x40000000 (lane 4)
 @culprit g
 @flags -O2 -g
 @alloc ptmalloc
 @mode core
 @note VSIB: one lane of eight faults
*/
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <immintrin.h>
__attribute__((noinline,target("avx2")))int g(int*b,int k){__m256i ix=_mm256_set_epi32(0,1,2,k,4,5,6,7);__m256i r=_mm256_i32gather_epi32(b,ix,4);return _mm256_extract_epi32(r,4);}
int t[64];int main(int n,char**v){return g(t,0x10000000*n);}

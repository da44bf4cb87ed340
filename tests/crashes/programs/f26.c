/* SPDX-License-Identifier: MIT */
/*
 @id f26
 @cls heap-overflow
 @alt heap-corruption
 @dir none
 @flags -O0 -g
 @mode core
 @says zeros
 @variants no (what is written is never read, and left out)
*/
#include <stdlib.h>
#include <string.h>
/* Cleared too far. */
__attribute__((noinline)) void clear(long*p,int n){ for(int i=0;i<n;i++)p[i]=0; }
int main(){ long*a=malloc(80),*b=malloc(1500),*c=malloc(24); for(int i=0;i<10;i++)a[i]=i; clear(a,13); free(b); return c[0]; }

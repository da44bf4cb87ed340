/* SPDX-License-Identifier: MIT */
/*
 @id f18
 @cls heap-overflow
 @alt heap-corruption
 @dir none
 @flags -O0 -g
 @mode core
 @says 41 bytes
 @variants no (which block follows which)
*/
#include <stdlib.h>
#include <string.h>
/* One byte too many, which leaves a size that might be one. */
__attribute__((noinline)) void fill(char *p,int n){ memset(p,0x71,n); }
int main(){ char *a=malloc(40),*b=malloc(40),*c[20]; for(int i=0;i<20;i++)c[i]=calloc(1,40+i*16); fill(a,41); free(b); for(int i=0;i<20;i++)free(c[i]); b=malloc(3000); return *b==0?abort(),1:0;}

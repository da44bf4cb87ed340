/* SPDX-License-Identifier: MIT */
/*
 @id f17
 @cls heap-underflow
 @alt heap-corruption
 @dir none
 @flags -O0 -g
 @mode core
 @says before its start
*/
#include <stdlib.h>
#include <string.h>
/* An element before the first: only the upper half of the size. */
__attribute__((noinline)) void set(int *p){ p[-1]=0x7fff; }
int main(){ char *a=malloc(100); int *p=malloc(200); char*c=malloc(30); set(p); free(p); return a[0]+c[0];}

/* SPDX-License-Identifier: MIT */
/*
 @id s05
 @cls unloaded-module
 @dir exec
 @flags -O0 -g
 @mode core
 @note the function's own page is unmapped under it: the return faults in a hole of the program
*/
#include <sys/mman.h>
static volatile long sink;
__attribute__((noinline, section(".gone"), aligned(4096))) static long gone(long n){long r=munmap((void*)gone,4096);return r+n+sink;}
int main(void){return (int)gone(2);}

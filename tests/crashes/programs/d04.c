/* SPDX-License-Identifier: MIT */
/*
 @id d04
 @cls stack-overflow
 @alt large-frame
 @dir write
 @addr 64 MiB below stack
 @culprit big
 @flags -O1 -g -fno-stack-clash-protection
 @alloc ptmalloc
 @mode core
 @note no recursion; single huge frame
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
#include <alloca.h>
__attribute__((noinline))int big(size_t n){volatile char*p=alloca(n);p[0]=1;return p[n-1];}
int main(int n,char**v){return big(n*64ul<<20);}

/* SPDX-License-Identifier: MIT */
/*
 @id d05
 @cls stack-overflow
 @alt large-frame
 @dir write
 @addr guard gap
 @culprit big
 @flags -O1 -g -fstack-clash-protection
 @alloc ptmalloc
 @mode core
 @note probe is orq $0,(%rsp): non-mov, non-push
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

/* SPDX-License-Identifier: MIT */
/*
 @id a03
 @cls null-deref
 @dir read
 @addr null+index*8=0x7a1200
 @culprit at
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note address > 64K but base register is 0: 64K-heuristic tools call it wild
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
__attribute__((noinline))long at(long*a,unsigned long i){return a[i];}
int main(int n,char**v){return at(n>9?(long*)v:0,n*1000000ul);}

/* SPDX-License-Identifier: MIT */
/*
 @id a02
 @cls null-deref
 @dir write
 @addr null+0x40
 @culprit put
 @flags -O2 -g
 @alloc ptmalloc
 @mode core
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
struct cfg{char pad[64];long v;};
__attribute__((noinline))void put(struct cfg*c,long x){c->v=x;}
int main(int n,char**v){put(n>9?(void*)v:0,n);return 0;}

/* SPDX-License-Identifier: MIT */
/*
 @id c03
 @cls protected-access
 @dir read
 @addr PROT_NONE mapping
 @culprit r
 @flags -O0 -g
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
__attribute__((noinline))int r(char*p){return p[8];}
int main(){char*m=mmap(0,4096,PROT_NONE,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);return r(m);}

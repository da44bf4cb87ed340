/* SPDX-License-Identifier: MIT */
/*
 @id b15
 @cls buffer-overread
 @dir read
 @addr straddles: si_addr=page start, operand=page-3
 @culprit rd
 @flags -O1 -g
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
__attribute__((noinline))long rd(char*p){long v;memcpy(&v,p,8);return v;}
int main(){char*m=mmap(0,8192,3,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);mprotect(m+4096,4096,0);return (int)rd(m+4096-3);}

/* SPDX-License-Identifier: MIT */
/*
 @id b11
 @cls ptr-truncated
 @dir read
 @addr low 32 bits of a live heap pointer
 @culprit use
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note implicit-int style truncation; the true pointer is alive in main
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
long*mk(void);
__attribute__((noinline))long use(int lo){long*p=(long*)(long)lo;return *p;}
int main(){void*h;do h=malloc(24);while(!((uintptr_t)h&0x7fff0000ul));return use((int)(uintptr_t)h);}

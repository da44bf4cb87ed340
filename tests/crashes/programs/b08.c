/* SPDX-License-Identifier: MIT */
/*
 @id b08
 @cls misaligned-access
 @dir read
 @addr heap+4, mapped
 @culprit ld
 @flags -O2 -g
 @alloc ptmalloc
 @mode core
 @note movaps #GP: SI_KERNEL/0 although address is canonical and mapped
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
typedef float v4 __attribute__((vector_size(16)));
__attribute__((noinline))v4 ld(v4*p){return *p;}
int main(){char*h=malloc(64);memset(h,0,64);v4 x=ld((v4*)(h+4));return (int)x[0];}

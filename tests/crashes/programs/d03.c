/* SPDX-License-Identifier: MIT */
/*
 @id d03
 @cls stack-overflow
 @dir write
 @addr guard page of a pthread stack
 @culprit rec
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
__attribute__((noinline))int rec(int n){volatile char b[64];b[1]=n;return rec(n+1)+b[1];}
static void*t(void*p){return (void*)(long)rec(0);}
int main(){pthread_t a;pthread_create(&a,0,t,0);pthread_join(a,0);return 0;}

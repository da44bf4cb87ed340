/* SPDX-License-Identifier: MIT */
/*
 @id b07
 @cls bad-jump
 @alt nx-exec
 @dir exec
 @addr heap chunk (NX)
 @culprit go
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
typedef void(*fn)(void);
__attribute__((noinline))void go(fn f){f();__asm__ volatile("");}
int main(){char*h=malloc(64);h[0]=(char)0xc3;go((fn)h);return 0;}

/* SPDX-License-Identifier: MIT */
/*
 @id b06
 @cls bad-jump
 @dir exec
 @addr 0x133713371000
 @culprit go
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note PC itself is the bad address; caller = [rsp]
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
typedef void(*fn)(void);volatile fn g;
__attribute__((noinline))void go(void){g();__asm__ volatile("");}
int main(){g=(fn)0x133713371000ul;go();return 0;}

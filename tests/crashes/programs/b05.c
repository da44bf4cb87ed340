/* SPDX-License-Identifier: MIT */
/*
 @id b05
 @cls bad-jump
 @alt ascii-pointer
 @dir exec
 @addr 0x4242424242424242
 @culprit go
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note #GP reported AT the call instruction, not at target
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
int main(){g=(fn)0x4242424242424242ul;go();return 0;}

/* SPDX-License-Identifier: MIT */
/*
 @id b09
 @cls privileged-insn
 @dir none
 @culprit h
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note SIGSEGV SI_KERNEL with no memory operand
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
__attribute__((noinline))void h(void){__asm__ volatile("hlt");}
int main(){h();return 0;}

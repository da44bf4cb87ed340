/* SPDX-License-Identifier: MIT */
/*
 @id c05
 @cls misaligned-access
 @dir read
 @culprit r
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note SIGBUS BUS_ADRALN (EFLAGS.AC)
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
__attribute__((noinline))int r(char*p){int v;__asm__ volatile("pushfq; orl $0x40000,(%%rsp); popfq; movl (%1),%0; pushfq; andl $~0x40000,(%%rsp); popfq":"=r"(v):"r"(p):"memory","cc");return v;}
char b[64];int main(){return r(b+1);}

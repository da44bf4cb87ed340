/* SPDX-License-Identifier: MIT */
/*
 @id q15
 @cls null-deref
 @dir read
 @flags -O0 -g
 @mode core
 @note stale contexts of timer signals lie below the stack pointer
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
static void tick(int s){}
__attribute__((noinline))int bad(int*q){return *q;}
int main(int n,char**v){signal(SIGALRM,tick);ualarm(100,100);for(volatile int i=0;i<100000000;i++);return bad(n>9?(int*)v:0);}

/* SPDX-License-Identifier: MIT */
/*
 @id q13
 @cls stack-overflow
 @dir write
 @flags -O0 -g
 @mode core
 @note a coroutine with a guard page
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
static ucontext_t home,co;
__attribute__((noinline))int rec(int n){volatile char b[200];b[0]=n;return n==0?0:rec(n+1)+b[0];}
static void run(void){rec(1);}
int main(){char*m=mmap(0,131072+4096,PROT_READ|PROT_WRITE,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);mprotect(m,4096,PROT_NONE);getcontext(&co);co.uc_stack.ss_sp=m+4096;co.uc_stack.ss_size=131072;co.uc_link=&home;makecontext(&co,run,0);swapcontext(&home,&co);return 0;}

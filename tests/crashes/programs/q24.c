/* SPDX-License-Identifier: MIT */
/*
 @id q24
 @cls stack-overflow
 @dir write
 @flags -O0 -g
 @mode core
 @note a handler on an alternate stack aborts
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
static void h(int s){abort();}
__attribute__((noinline))int rec(int n){volatile char b[500];b[0]=n;return n==0?0:rec(n+1)+b[0];}
int main(){static char alt[65536];stack_t ss={alt,0,sizeof alt};sigaltstack(&ss,0);struct sigaction a={0};a.sa_handler=h;a.sa_flags=SA_ONSTACK;sigaction(SIGSEGV,&a,0);return rec(1);}

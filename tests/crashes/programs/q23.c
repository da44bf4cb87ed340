/* SPDX-License-Identifier: MIT */
/*
 @id q23
 @cls stack-overflow
 @dir write
 @flags -O0 -g
 @mode core
 @note a handler without an alternate stack: the kernel cannot call it, and says SI_KERNEL without an address
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
static void h(int s){_exit(s);}
__attribute__((noinline))int rec(int n){volatile char b[500];b[0]=n;return n==0?0:rec(n+1)+b[0];}
int main(){signal(SIGSEGV,h);return rec(1);}

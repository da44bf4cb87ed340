/* SPDX-License-Identifier: MIT */
/*
 @id q16
 @cls assert
 @dir none
 @flags -O0 -g
 @mode core
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
#include <assert.h>
static void h(int s){abort();}
__attribute__((noinline))void chk(int n){assert(n==42);}
int main(int n,char**v){signal(SIGUSR1,h);chk(n);return 0;}

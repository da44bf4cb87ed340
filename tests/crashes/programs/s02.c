/* SPDX-License-Identifier: MIT */
/*
 @id s02
 @cls bad-argument
 @dir write
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
__attribute__((noinline))void clear(char*d,long n){memset(d,1,(size_t)n);}
int main(int n,char**v){static char a[64];clear(a,n-100);return a[7];}

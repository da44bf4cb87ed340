/* SPDX-License-Identifier: MIT */
/*
 @id q20
 @cls protected-access
 @alt readonly-write
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
__attribute__((noinline))void w(char*p){p[100]=1;}
int main(){char*m=mmap(0,8192,PROT_NONE,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);w(m);return 0;}

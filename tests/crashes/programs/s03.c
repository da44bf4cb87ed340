/* SPDX-License-Identifier: MIT */
/*
 @id s03
 @cls null-deref
 @alt bad-argument
 @dir read
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
__attribute__((noinline))int same(const char*a,const char*b){return strcmp(a,b);}
int main(int n,char**v){return same("x",n>9?"y":0);}

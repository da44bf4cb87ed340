/* SPDX-License-Identifier: MIT */
/*
 @id q14
 @cls null-deref
 @dir read
 @flags -O0 -g
 @mode core
 @note the handler crashes as well, with a write: the first fault counts
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
static volatile int*volatile p;static void h(int s){*p=2;}
__attribute__((noinline))int bad(int*q){return *q;}
int main(int n,char**v){struct sigaction a={0};a.sa_handler=h;a.sa_flags=SA_NODEFER|SA_RESETHAND;sigaction(SIGSEGV,&a,0);return bad(n>9?(int*)v:0);}

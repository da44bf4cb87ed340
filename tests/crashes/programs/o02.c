/* SPDX-License-Identifier: MIT */
/*
 @id o02
 @cls null-deref
 @dir write
 @addr null
 @culprit bad
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note SIGABRT from handler on alternate stack
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
static void h(int s){abort();}
__attribute__((noinline))void bad(int*p){*p=1;}
int main(int n,char**v){stack_t ss={0};ss.ss_sp=malloc(65536);ss.ss_size=65536;sigaltstack(&ss,0);struct sigaction a={0};a.sa_handler=h;a.sa_flags=SA_ONSTACK;sigaction(SIGSEGV,&a,0);bad(n>9?(int*)v:0);return 0;}

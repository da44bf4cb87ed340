/* SPDX-License-Identifier: MIT */
/*
 @id o01
 @cls null-deref
 @dir read
 @addr null
 @culprit bad
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note final siginfo is SI_TKILL; the real one lies in the signal frame (uc_mcontext REG_ERR/REG_CR2)
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
static void h(int s,siginfo_t*i,void*u){signal(s,SIG_DFL);raise(s);}
__attribute__((noinline))int bad(int*p){return *p;}
int main(int n,char**v){struct sigaction a={0};a.sa_sigaction=h;a.sa_flags=SA_SIGINFO;sigaction(SIGSEGV,&a,0);return bad(n>9?(int*)v:0);}

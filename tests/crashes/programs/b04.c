/* SPDX-License-Identifier: MIT */
/*
 @id b04
 @cls noncanonical-access
 @dir write
 @addr 0x8000123412341230
 @culprit f
 @flags -O2 -g
 @alloc ptmalloc
 @mode core
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
struct s{long*p;};
__attribute__((noinline))void f(struct s*x,long v){*x->p=v;}
int main(int n,char**v){struct s a={(long*)0x8000123412341230ul};f(&a,n);return 0;}

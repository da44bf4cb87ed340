/* SPDX-License-Identifier: MIT */
/*
 @id a07
 @cls null-deref
 @dir read
 @addr null
 @culprit call
 @flags -O2 -g
 @alloc ptmalloc
 @mode core
 @note vptr load from null this
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
struct B{virtual int f(){return 1;} virtual int g(){return 2;} int x=0;};
__attribute__((noinline))int call(B*b){return b->g();}
int main(int n,char**v){return call(n>9?(B*)v:nullptr);}

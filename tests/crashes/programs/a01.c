/* SPDX-License-Identifier: MIT */
/*
 @id a01
 @cls null-deref
 @dir read
 @addr null+4
 @culprit get
 @flags -O0 -g
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
struct cfg{int a,b;char*name;};
__attribute__((noinline))int get(struct cfg*c){return c->b;}
int main(int n,char**v){return get(n>9?(struct cfg*)v:0);}

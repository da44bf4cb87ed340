/* SPDX-License-Identifier: MIT */
/*
 @id a06
 @cls null-call
 @dir exec
 @addr null
 @culprit run|main
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
typedef int(*fn)(int);struct ops{fn open,close;};
__attribute__((noinline))int run(struct ops*o){return o->close(3);}
struct ops g;int main(int n,char**v){return run(&g)+1;}

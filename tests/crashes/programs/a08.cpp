/* SPDX-License-Identifier: MIT */
/*
 @id a08
 @cls null-deref
 @alt zeroed-object
 @dir read
 @addr null+8
 @culprit call
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note vptr is 0 : object was zeroed
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
struct B{virtual int f(){return 1;} virtual int g(){return 2;} long x=0;};
__attribute__((noinline))int call(B*b){return b->g();}
int main(int n,char**v){B*b=new B; memset((void*)b,0,sizeof *b); return call(b);}

/* SPDX-License-Identifier: MIT */
/*
 @id d01
 @cls stack-overflow
 @dir write
 @addr below stack
 @culprit rec
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note recursion of one function
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
int depth;__attribute__((noinline))int rec(int n){volatile char b[200];b[0]=n;return rec(n+1)+b[0];}
int main(){return rec(0);}

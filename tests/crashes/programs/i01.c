/* SPDX-License-Identifier: MIT */
/*
 @id i01
 @cls assert
 @dir none
 @culprit chk
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note __abort_msg holds the expression
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
#include <assert.h>
__attribute__((noinline))void chk(int n){assert(n==42);}
int main(int n,char**v){chk(n);return 0;}

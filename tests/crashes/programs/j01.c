/* SPDX-License-Identifier: MIT */
/*
 @id j01
 @cls div-zero
 @dir none
 @culprit d
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note FPE_INTDIV
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
__attribute__((noinline))int d(int a,int b){return a/b;}
int main(int n,char**v){return d(100,n-1);}

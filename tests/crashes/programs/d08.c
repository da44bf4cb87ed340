/* SPDX-License-Identifier: MIT */
/*
 @id d08
 @cls null-deref
 @dir read
 @addr null
 @culprit rec
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note deep recursion but NOT an overflow
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
__attribute__((noinline))int rec(int n,int*p){volatile int k=n;if(n>4000)return *p;return rec(n+1,p)+k;}
int main(){return rec(0,0);}

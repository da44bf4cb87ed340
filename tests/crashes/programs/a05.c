/* SPDX-License-Identifier: MIT */
/*
 @id a05
 @cls null-deref
 @dir read
 @addr null+3
 @culprit z
 @flags -O2 -g
 @alloc ptmalloc
 @mode core
 @note cmpb $7,3(%rdi)
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
__attribute__((noinline))int z(char*p){return p[3]==7;}
int main(int n,char**v){return z(n>9?v[0]:0);}

/* SPDX-License-Identifier: MIT */
/*
 @id b02
 @cls wild-access
 @dir write
 @addr 0x123456789001
 @culprit wr
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
__attribute__((noinline))void wr(int*p,int v){*p=v;}
int main(int n,char**v){wr((int*)(uintptr_t)(0x123456789000ul+n),n);return 0;}

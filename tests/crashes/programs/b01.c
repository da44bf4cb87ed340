/* SPDX-License-Identifier: MIT */
/*
 @id b01
 @cls wild-access
 @dir read
 @addr 0x123456789001
 @culprit rd
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
__attribute__((noinline))int rd(int*p){return *p;}
int main(int n,char**v){return rd((int*)(uintptr_t)(0x123456789000ul+n));}

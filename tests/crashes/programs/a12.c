/* SPDX-License-Identifier: MIT */
/*
 @id a12
 @cls null-deref
 @dir read
 @addr null
 @culprit rep
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note string instruction, source side; CASR rule says DestAv
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
__attribute__((noinline))void rep(char*d,char*s,long n){__asm__ volatile("rep movsb":"+D"(d),"+S"(s),"+c"(n)::"memory");}
char b[64];int main(int n,char**v){rep(b,n>9?v[0]:0,64);return 0;}

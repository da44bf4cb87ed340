/* SPDX-License-Identifier: MIT */
/*
 @id a09
 @cls null-deref
 @alt bad-argument
 @dir read
 @addr null
 @culprit cp
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note fault inside libc AVX memcpy; blame caller, argument src
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
__attribute__((noinline))void cp(char*d,char*s,size_t n){memcpy(d,s,n);}
char b[512];int main(int n,char**v){cp(b,n>9?v[0]:0,n*300ul);return b[4];}

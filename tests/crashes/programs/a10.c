/* SPDX-License-Identifier: MIT */
/*
 @id a10
 @cls null-deref
 @alt bad-argument
 @dir write
 @addr null
 @culprit cp
 @flags -O1 -g
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
__attribute__((noinline))void cp(char*d,char*s,size_t n){memcpy(d,s,n);}
char b[512];int main(int n,char**v){cp(n>9?v[0]:0,b,n*300ul);return b[4];}

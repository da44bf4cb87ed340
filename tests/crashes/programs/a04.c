/* SPDX-License-Identifier: MIT */
/*
 @id a04
 @cls null-deref
 @dir write
 @addr null
 @culprit bump
 @flags -O2 -g
 @alloc ptmalloc
 @mode core
 @note RMW, non-mov mnemonic
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
__attribute__((noinline))void bump(long*a){(*a)++;}
int main(int n,char**v){bump(n>9?(long*)v:0);return 0;}

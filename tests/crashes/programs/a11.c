/* SPDX-License-Identifier: MIT */
/*
 @id a11
 @cls null-deref
 @alt bad-argument
 @dir read
 @addr null
 @culprit len
 @flags -O0 -g
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
__attribute__((noinline))size_t len(const char*s){return strlen(s);}
int main(int n,char**v){return (int)len(n>9?v[0]:0);}

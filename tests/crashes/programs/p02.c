/* SPDX-License-Identifier: MIT */
/*
 @id p02
 @cls null-deref
 @dir read
 @addr null
 @culprit bad
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note heap full of 0x41 but sound: heap-corruption here is a false positive
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
__attribute__((noinline))int bad(int*p){return *p;}
int main(int n,char**v){char*p[300];for(int i=0;i<300;i++){p[i]=malloc(i*53+1);memset(p[i],0x41,i*53+1);}for(int i=0;i<300;i+=3)free(p[i]);return bad(n>9?(int*)v:0);}

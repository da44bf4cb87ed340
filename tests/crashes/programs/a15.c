/* SPDX-License-Identifier: MIT */
/*
 @id a15
 @cls null-deref
 @dir read
 @addr null-8
 @culprit first
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note container_of(NULL): address is 0xfffffffffffffff8
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
struct node{long data;struct node*link;};
#define obj(p) ((struct node*)((char*)(p)-8))
__attribute__((noinline))long first(struct node**l){return obj(l)->data;}
int main(int n,char**v){return first(n>9?(void*)v:0);}

/* SPDX-License-Identifier: MIT */
/*
 @id b12
 @cls bit-flip
 @alt wild-access
 @dir read
 @addr heap pointer ^ 1<<41
 @culprit sum
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
struct n{struct n*next;long v;};
__attribute__((noinline))long sum(struct n*x){long s=0;for(;x;x=x->next)s+=x->v;return s;}
int main(){struct n*h=0;for(int i=0;i<64;i++){struct n*q=malloc(sizeof*q);q->next=h;q->v=i;h=q;}h->next->next=(struct n*)((uintptr_t)h->next->next^(1ul<<41));return sum(h);}

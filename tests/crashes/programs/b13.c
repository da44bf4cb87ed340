/* SPDX-License-Identifier: MIT */
/*
 @id b13
 @cls uninit-pointer
 @alt noncanonical-access
 @dir read
 @addr 0xcccc..
 @culprit f
 @flags -O0 -g
 @alloc ptmalloc
 @env GLIBC_TUNABLES=glibc.malloc.perturb=51
 @mode core
 @note malloc perturb fills with 0xcc (~51)
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
struct box{long len;char*p;};
__attribute__((noinline))int f(void){struct box*b=malloc(sizeof*b);b->len=4;return b->p[b->len];}
int main(){return f();}

/* SPDX-License-Identifier: MIT */
/*
 @id a14
 @cls null-deref
 @dir write
 @addr null
 @culprit t
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note faulting thread is not main
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
static void*w(void*p){sleep(30);return p;}
static void*t(void*p){int*q=*(int**)p;*q=1;return 0;}
int*shared;int main(){pthread_t a,b;pthread_create(&a,0,w,0);usleep(20000);pthread_create(&b,0,t,&shared);pthread_join(b,0);return 0;}

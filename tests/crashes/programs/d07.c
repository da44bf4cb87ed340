/* SPDX-License-Identifier: MIT */
/*
 @id d07
 @cls stack-overflow
 @alt large-frame
 @dir write
 @addr guard page, 16 KiB thread
 @culprit t
 @flags -O0 -g -fno-stack-clash-protection
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
static void*t(void*p){volatile char b[60000];for(int i=sizeof b-1;i>=0;i-=512)b[i]=1;return 0;}
int main(){pthread_attr_t a;pthread_attr_init(&a);pthread_attr_setstacksize(&a,16384);pthread_t x;pthread_create(&x,&a,t,0);pthread_join(x,0);return 0;}

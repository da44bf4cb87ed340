/* SPDX-License-Identifier: MIT */
/*
 @id k04
 @cls deadlock
 @dir none
 @addr cycle of 3
 @culprit t
 @flags -O0 -g
 @alloc ptmalloc
 @mode hang
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
pthread_mutex_t m[3]={PTHREAD_MUTEX_INITIALIZER,PTHREAD_MUTEX_INITIALIZER,PTHREAD_MUTEX_INITIALIZER};
static pthread_barrier_t all;
static void*t(void*x){long i=(long)x;pthread_mutex_lock(&m[i]);pthread_barrier_wait(&all);pthread_mutex_lock(&m[(i+1)%3]);return 0;}
int main(){pthread_t p[3];pthread_barrier_init(&all,0,3);for(long i=0;i<3;i++)pthread_create(&p[i],0,t,(void*)i);for(int i=0;i<3;i++)pthread_join(p[i],0);return 0;}

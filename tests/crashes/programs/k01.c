/* SPDX-License-Identifier: MIT */
/*
 @id k01
 @cls deadlock
 @dir none
 @addr A<->B
 @culprit t1|t2
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
pthread_mutex_t A=PTHREAD_MUTEX_INITIALIZER,B=PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void*t1(void*x){pthread_mutex_lock(&A);pthread_barrier_wait(&both);pthread_mutex_lock(&B);return 0;}
static void*t2(void*x){pthread_mutex_lock(&B);pthread_barrier_wait(&both);pthread_mutex_lock(&A);return 0;}
int main(){pthread_t a,b;pthread_barrier_init(&both,0,2);pthread_create(&a,0,t1,0);pthread_create(&b,0,t2,0);pthread_join(a,0);return 0;}

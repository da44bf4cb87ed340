/* SPDX-License-Identifier: MIT */
/*
 @id q08
 @cls deadlock
 @dir none
 @flags -O0 -g
 @mode hang
 @note read-write locks
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
static pthread_rwlock_t a=PTHREAD_RWLOCK_INITIALIZER,b=PTHREAD_RWLOCK_INITIALIZER;static pthread_barrier_t bar;
static void*t1(void*p){pthread_rwlock_wrlock(&a);pthread_barrier_wait(&bar);pthread_rwlock_wrlock(&b);return p;}
static void*t2(void*p){pthread_rwlock_wrlock(&b);pthread_barrier_wait(&bar);pthread_rwlock_rdlock(&a);return p;}
int main(){pthread_t x,y;pthread_barrier_init(&bar,0,2);pthread_create(&x,0,t1,0);pthread_create(&y,0,t2,0);pthread_join(x,0);return 0;}

/* SPDX-License-Identifier: MIT */
/*
 @id q09
 @cls deadlock
 @alt lock-held-while-waiting
 @dir none
 @flags -O0 -g
 @mode hang
 @note priority inheriting: the kernel refuses the second lock with EDEADLK, and glibc lets that thread wait for ever
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
static pthread_mutex_t a,b;static pthread_barrier_t bar;
static void*t1(void*p){pthread_mutex_lock(&a);pthread_barrier_wait(&bar);pthread_mutex_lock(&b);return p;}
static void*t2(void*p){pthread_mutex_lock(&b);pthread_barrier_wait(&bar);pthread_mutex_lock(&a);return p;}
int main(){pthread_t x,y;pthread_mutexattr_t t;pthread_mutexattr_init(&t);pthread_mutexattr_setprotocol(&t,PTHREAD_PRIO_INHERIT);pthread_mutex_init(&a,&t);pthread_mutex_init(&b,&t);pthread_barrier_init(&bar,0,2);pthread_create(&x,0,t1,0);pthread_create(&y,0,t2,0);pthread_join(x,0);return 0;}

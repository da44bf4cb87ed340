/* SPDX-License-Identifier: MIT */
/*
 @id q11
 @cls healthy
 @dir none
 @flags -O0 -g
 @mode hang
 @note a lock with a time limit is no deadlock
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
static pthread_mutex_t a=PTHREAD_MUTEX_INITIALIZER;
static void*t1(void*p){struct timespec t;clock_gettime(CLOCK_REALTIME,&t);t.tv_sec+=60;pthread_mutex_timedlock(&a,&t);return p;}
int main(){pthread_t x;pthread_mutex_lock(&a);pthread_create(&x,0,t1,0);for(;;)pause();}

/* SPDX-License-Identifier: MIT */
/*
 @id q12
 @cls healthy
 @dir none
 @flags -O0 -g
 @mode hang
 @note contention: the owner runs
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
static pthread_mutex_t a=PTHREAD_MUTEX_INITIALIZER;static volatile unsigned long n;
static void*t1(void*p){pthread_mutex_lock(&a);return p;}
int main(){pthread_t x;pthread_mutex_lock(&a);pthread_create(&x,0,t1,0);for(;;)n++;}

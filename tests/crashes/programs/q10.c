/* SPDX-License-Identifier: MIT */
/*
 @id q10
 @cls lock-held-while-waiting
 @dir none
 @flags -O0 -g
 @mode hang
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
static pthread_mutex_t a=PTHREAD_MUTEX_INITIALIZER,m=PTHREAD_MUTEX_INITIALIZER;static pthread_cond_t c=PTHREAD_COND_INITIALIZER;static int never;
static void*t1(void*p){pthread_mutex_lock(&a);pthread_mutex_lock(&m);while(!never)pthread_cond_wait(&c,&m);return p;}
static void*t2(void*p){while(pthread_mutex_trylock(&a)==0){pthread_mutex_unlock(&a);usleep(1000);}pthread_mutex_lock(&a);return p;}
int main(){pthread_t x,y;pthread_create(&x,0,t1,0);pthread_create(&y,0,t2,0);pthread_join(x,0);return 0;}

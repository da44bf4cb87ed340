/* SPDX-License-Identifier: MIT */
/*
 @id k05
 @cls healthy
 @dir none
 @flags -O0 -g
 @alloc ptmalloc
 @mode hang
 @note workers idle on a condition variable: no deadlock
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
pthread_mutex_t A=PTHREAD_MUTEX_INITIALIZER;pthread_cond_t c=PTHREAD_COND_INITIALIZER;int rdy;
static void*t(void*x){pthread_mutex_lock(&A);while(!rdy)pthread_cond_wait(&c,&A);pthread_mutex_unlock(&A);return 0;}
int main(){pthread_t p[3];for(int i=0;i<3;i++)pthread_create(&p[i],0,t,0);pause();return 0;}

/* SPDX-License-Identifier: MIT */
/*
 @id k03
 @cls orphaned-lock
 @dir none
 @addr A owner tid is dead
 @culprit main
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
pthread_mutex_t A=PTHREAD_MUTEX_INITIALIZER;static void*t(void*x){pthread_mutex_lock(&A);return 0;}
int main(){pthread_t a;pthread_create(&a,0,t,0);pthread_join(a,0);pthread_mutex_lock(&A);return 0;}

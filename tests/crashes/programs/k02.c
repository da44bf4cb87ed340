/* SPDX-License-Identifier: MIT */
/*
 @id k02
 @cls self-deadlock
 @alt deadlock
 @dir none
 @addr A
 @culprit inner
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
pthread_mutex_t A=PTHREAD_MUTEX_INITIALIZER;__attribute__((noinline))void inner(void){pthread_mutex_lock(&A);}
int main(){pthread_mutex_lock(&A);inner();return 0;}

/* SPDX-License-Identifier: MIT */
/*
 @id f10
 @cls invalid-free
 @dir none
 @flags -O0 -g
 @mode core
 @says on the stack of thread
*/
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
/* A buffer on a thread's stack. */
__attribute__((noinline)) static void release(void *p) { free(p); }
static void *work(void *x) { char buffer[256] __attribute__((aligned(16))); memset(buffer, 0, sizeof buffer); release(buffer + 32); return x; }
int main(void) { pthread_t t; pthread_create(&t, NULL, work, NULL); pthread_join(t, NULL); return 0; }

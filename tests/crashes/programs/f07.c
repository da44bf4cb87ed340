/* SPDX-License-Identifier: MIT */
/*
 @id f07
 @cls heap-overflow
 @dir none
 @flags -O0 -g
 @mode core
 @says 0x5c
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
/* In the arena of a thread, found by another one. */
static char *shared[3];
static void *work(void *x) { for (int i = 0; i < 3; i++) shared[i] = malloc(1500); return x; }
__attribute__((noinline)) static void fill(char *p, size_t n) { memset(p, 0x5c, n); }
int main(void)
{
	pthread_t t;
	pthread_create(&t, NULL, work, NULL);
	pthread_join(t, NULL);
	fill(shared[0], 1530);
	free(shared[1]);
	return 0;
}

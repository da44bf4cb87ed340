/* SPDX-License-Identifier: MIT */
/*
 @id f15
 @cls null-deref
 @alt heap-overflow
 @dir read
 @flags -O0 -g
 @mode core
 @also written past its end
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
/* Dies of something else; what is wrong with the heap is told besides. */
__attribute__((noinline)) static void fill(char *p, size_t n) { memset(p, 'z', n); }
__attribute__((noinline)) static int get(int *p) { return *p; }
int main(void)
{
	char *a = malloc(56), *b = malloc(700), *c = malloc(24);
	fill(a, 80);
	return get(NULL) + b[0] + c[0];
}

/* SPDX-License-Identifier: MIT */
/*
 @id f02
 @cls double-free
 @dir none
 @flags -O0 -g
 @mode core
 @says freed twice
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
/* The block was merged with its neighbour after the first free. */
__attribute__((noinline)) static void release(char *p) { free(p); }
int main(void)
{
	char *a = malloc(3000), *b = malloc(3000), *c = malloc(3000);
	release(a);
	release(b);
	release(b);
	return c[0];
}

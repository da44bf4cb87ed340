/* SPDX-License-Identifier: MIT */
/*
 @id f08
 @cls heap-underflow
 @alt heap-corruption
 @dir none
 @flags -O0 -g
 @mode core
 @says before its start
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
/* Backwards over the start. */
__attribute__((noinline)) static void trim(char *p, int from) { for (int i = from; i >= -8; i--) p[i] = '_'; }
int main(void)
{
	char *a = calloc(1, 1300), *b = calloc(1, 1300), *c = calloc(1, 24);
	strcpy(b, "x       ");
	trim(b, 7);
	free(b);
	return a[0] + c[0];
}

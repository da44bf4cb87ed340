/* SPDX-License-Identifier: MIT */
/*
 @id f05
 @cls heap-overflow
 @alt heap-corruption
 @dir none
 @flags -O0 -g
 @mode core
 @says written past its end
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
/* One byte too many, and that byte is zero. */
__attribute__((noinline)) static void copy(char *to, const char *from, size_t n) { memcpy(to, from, n); to[n] = 0; }
int main(void)
{
	char text[1064], *a = malloc(1064), *b = malloc(2000), *c = malloc(24);
	memset(text, 'k', sizeof text);
	copy(a, text, sizeof text);
	free(b);
	return c[0];
}

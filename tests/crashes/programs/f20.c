/* SPDX-License-Identifier: MIT */
/*
 @id f20
 @cls abort
 @dir none
 @flags -O0 -g
 @mode core
 @never heap\.|past its end|freed
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
/* Sound, whatever it looks like: blocks full of sizes, links, text. */
int main(void)
{
	uint64_t *p[300];
	for (int i = 0; i < 300; i++) { size_t n = 8 + i * 7 % 900; p[i] = malloc(n * 8); for (size_t k = 0; k < n; k++) p[i][k] = k & 1 ? (uint64_t)p[i] : 0x21; }
	for (int i = 0; i < 300; i += 3) free(p[i]);
	abort();
}

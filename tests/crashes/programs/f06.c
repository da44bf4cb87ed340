/* SPDX-License-Identifier: MIT */
/*
 @id f06
 @cls heap-overflow
 @dir none
 @flags -O0 -g
 @mode core
 @variants no (what is written is never read, and left out)
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
/* The last block before what was never handed out. */
__attribute__((noinline)) static void fill(uint64_t *p, int n) { for (int i = 0; i < n; i++) p[i] = 0x1122334455667788; }
int main(void)
{
	uint64_t *a = malloc(8 * 5);
	fill(a, 8);
	return *(char *)malloc(70000);
}

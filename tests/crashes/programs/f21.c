/* SPDX-License-Identifier: MIT */
/*
 @id f21
 @cls abort
 @dir none
 @flags -O0 -g
 @mode core
 @never heap\.(corrupt|overflow|underflow|uaf|double|invalid)
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
/* Stopped by a timer in the middle of whatever the allocator was doing. */
static void out(int s) { (void)s; abort(); }
int main(void)
{
	struct itimerval t = {{0, 0}, {0, 120000}};
	void *p[64] = {0};
	unsigned x = 1;
	signal(SIGALRM, out);
	setitimer(ITIMER_REAL, &t, NULL);
	for (;;) { x = x * 1103515245 + 12345; void **q = &p[x >> 16 & 63]; free(*q); *q = malloc(x >> 8 & 0x1fff); }
}

/* SPDX-License-Identifier: MIT */
/*
 @id f03
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
/* Freed, and merged with what the arena never handed out. */
__attribute__((noinline)) static void release(char *p) { free(p); }
int main(void)
{
	char *a = malloc(5000), *b = malloc(5000);
	release(b);
	release(b);
	return a[0];
}

/* SPDX-License-Identifier: MIT */
/*
 @id f13
 @cls invalid-free
 @dir none
 @flags -O0 -g
 @mode core
 @says 8192 bytes inside
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
/* Inside a block that has a mapping of its own. */
__attribute__((noinline)) static void release(char *p) { free(p); }
int main(void) { char *p = malloc(1 << 20); memset(p, 1, 1 << 20); release(p + 8192); return 0; }

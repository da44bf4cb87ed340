/* SPDX-License-Identifier: MIT */
/*
 @id g04
 @cls use-after-free
 @alt wild-access
 @dir read
 @flags -O0 -g
 @mode core
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
/* Large enough for a mapping of its own, which free gives back. */
struct image { int width, height; unsigned char pixel[600000]; };
__attribute__((noinline)) static int look(struct image *i) { return i->pixel[100000]; }
int main(void) { struct image *i = malloc(sizeof *i); memset(i, 1, sizeof *i); free(i); return look(i); }

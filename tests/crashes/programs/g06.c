/* SPDX-License-Identifier: MIT */
/*
 @id g06
 @cls heap-overflow
 @alt noncanonical-access,ascii-pointer
 @dir read
 @flags -O0 -g
 @mode core
 @variants no (what is written is never read, and left out)
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
/* The pointer that failed lies where a neighbour ran over. */
struct link { struct link *to; long v; };
__attribute__((noinline)) static long follow(struct link *l) { return l->to->v; }
int main(void) { char *a = malloc(40); struct link *l = malloc(sizeof *l); l->to = l; memset(a, 'Q', 64); return follow(l); }

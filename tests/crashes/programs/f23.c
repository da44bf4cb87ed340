/* SPDX-License-Identifier: MIT */
/*
 @id f23
 @cls noncanonical-access
 @alt ascii-pointer
 @dir read
 @flags -O0 -g
 @mode core
 @never heap\.
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
/* Text runs from one member into the next, within one block: no neighbour, no
 * free. */
struct item { char name[16]; long *count; };
__attribute__((noinline)) static long get(struct item *i) { return *i->count; }
int main(void) { struct item *i = calloc(1, sizeof *i), *k = calloc(1, sizeof *k); strcpy(i->name, "a name that is long.."); memcpy(&i->count, "tooshort", 8); return get(i) + k->name[0]; }

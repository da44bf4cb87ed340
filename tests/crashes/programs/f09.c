/* SPDX-License-Identifier: MIT */
/*
 @id f09
 @cls invalid-free
 @dir none
 @flags -O0 -g
 @mode core
 @says 8 bytes inside
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
/* A member in place, taken for a pointer. */
struct session { long id; char name[40]; };
__attribute__((noinline)) static void end(struct session *s) { free(s->name); free(s); }
int main(void) { struct session *s = calloc(1, sizeof *s); end(s); return 0; }

/* SPDX-License-Identifier: MIT */
/*
 @id f22
 @cls wild-access
 @dir read
 @flags -O1 -g
 @mode core
 @never heap\.uaf
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
/* The pointer was read before its block was freed: no use after free. */
struct job { long a, b; struct job *next; long c; };
__attribute__((noinline)) static long step(struct job *j) { struct job *n = j->next; free(j); return n->c; }
int main(void) { struct job *j = calloc(1, sizeof *j); j->next = (void *)0x123456789000; return step(j); }

/* SPDX-License-Identifier: MIT */
/*
 @id f24
 @cls uninit-pointer
 @alt wild-access
 @dir read
 @flags -O0 -g
 @mode core
 @says was not set
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
/* Never set after malloc: what the allocator left there is no use after free. */
struct pair { struct pair *other; long v; };
__attribute__((noinline)) static long get(struct pair *p) { return p->other->v; }
int main(void) { struct pair *a = malloc(40); free(a); a = malloc(40); return get(a); }

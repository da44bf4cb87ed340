/* SPDX-License-Identifier: MIT */
/*
 @id f14
 @cls use-after-free
 @alt heap-corruption
 @dir none
 @flags -O0 -g
 @mode core
 @says free block
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
/* Writes to a free block: the allocator stumbles over it later. */
struct entry { struct entry *next, *previous; char text[1400]; };
__attribute__((noinline)) static void unlink_entry(struct entry *e) { e->next = (void *)0x10; e->previous = (void *)0x20; }
int main(void)
{
	struct entry *a = calloc(1, sizeof *a);
	char *b = malloc(24);
	free(a);
	unlink_entry(a);
	return *(char *)malloc(4000) + b[0];
}

/* SPDX-License-Identifier: MIT */
/*
 @id g01
 @cls use-after-free
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
/* The loop reads the link of the node it has just freed. */
struct node { struct node *next; long v[5]; };
__attribute__((noinline)) static long drop(struct node *n) { long sum = 0; for (; n; n = n->next) { sum += n->v[0]; free(n); } return sum; }
int main(void) { struct node *h = NULL; for (int i = 0; i < 5; i++) { struct node *n = calloc(1, sizeof *n); n->next = h; h = n; } return drop(h); }

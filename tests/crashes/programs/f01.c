/* SPDX-License-Identifier: MIT */
/*
 @id f01
 @cls double-free
 @dir none
 @flags -O0 -g
 @mode core
 @says freed twice
 @also heap.double-free
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
/* Two lists own the same nodes. */
struct node { struct node *next; char name[24]; };
static struct node *by_name, *by_age;
__attribute__((noinline)) static void drop(struct node *n) { while (n) { struct node *next = n->next; free(n); n = next; } }
int main(void)
{
	for (int i = 0; i < 3; i++) { struct node *n = malloc(sizeof *n); n->next = by_name; by_name = n; }
	by_age = by_name->next->next;
	drop(by_name);
	drop(by_age);
	return 0;
}

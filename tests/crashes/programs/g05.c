/* SPDX-License-Identifier: MIT */
/*
 @id g05
 @cls use-after-free
 @alt noncanonical-access
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
/* In a library's function, by what the freed block had. */
struct user { char *name; long id; };
__attribute__((noinline)) static size_t width(struct user *u) { return strlen(u->name); }
int main(void) { struct user *u = malloc(sizeof *u), *v = malloc(sizeof *v); u->name = "x"; free(v); free(u); return width(u); }

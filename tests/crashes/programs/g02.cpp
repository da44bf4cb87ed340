/* SPDX-License-Identifier: MIT */
/*
 @id g02
 @cls use-after-free
 @alt null-call
 @dir none
 @flags -O1 -g
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
/* A virtual call of what a container still has. */
struct shape { virtual ~shape() {} virtual int area() { return 1; } long box[3]; };
static shape *all[4];
__attribute__((noinline)) static int sum() { int n = 0; for (shape *s : all) n += s->area(); return n; }
int main() { for (shape *&s : all) s = new shape; delete all[3]; delete all[2]; return sum(); }

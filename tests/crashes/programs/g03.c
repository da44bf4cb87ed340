/* SPDX-License-Identifier: MIT */
/*
 @id g03
 @cls use-after-free
 @alt bad-jump
 @dir exec
 @flags -O0 -g
 @mode core
 @also freed by thread
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
/* Another thread freed it. */
struct task { void (*run)(struct task *); long arg[8]; };
static struct task *volatile task;
static void nothing(struct task *t) { (void)t; }
static void *cancel(void *x) { free(task); pause(); return x; }
__attribute__((noinline)) static void start(struct task *t) { t->run(t); __asm__ volatile(""); }
int main(void) { pthread_t t; task = malloc(sizeof *task); task->run = nothing; pthread_create(&t, NULL, cancel, NULL); usleep(100000); start(task); return 0; }

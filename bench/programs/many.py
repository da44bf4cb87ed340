#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a C program of many threads with deep stacks, one translation unit
for each function of the stack: locals of every plain kind, inlined helpers.

    many.py DIRECTORY DEPTH

The program: many THREADS CRASH. It prints "ready PID" when every thread has
its full stack and, with CRASH 1, dies by a null pointer in the middle one.
With CRASH 0 it stays, and prints "stopped MS" whenever its own clock shows
that somebody has stopped it for more than 5 ms.
"""
import os
import sys

HEADER = """
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum state { ST_IDLE, ST_RUN, ST_WAIT, ST_DEAD = 40 };
struct node { struct node *next; int key; char name[24]; };
struct ctx {
	uint64_t id;
	enum state st;
	unsigned flag_a : 3, flag_b : 5;
	struct node *list;
	const char *label;
	union { int i; double d; void *p; } u;
	double w[4];
	pthread_mutex_t *mu;
};
extern volatile int go;
extern int crash_tid;
extern pthread_barrier_t bar;

static inline int
helper2(struct ctx *c, int k)
{
	int acc = k;

	for (struct node *n = c->list; n; n = n->next)
		acc += n->key;
	return acc;
}

static inline int
helper1(struct ctx *c, int k)
{
	double q = c->w[k & 3];
	int z = helper2(c, k + (int)q);

	c->u.i ^= z;
	return z;
}
"""

FUNCTION = """#include "many.h"

struct local%(i)d { int a; char tag[%(tag)d]; struct node n; };

__attribute__((noinline)) int
f%(i)d(struct ctx *c, int depth, const char *msg)
{
	struct local%(i)d l = { .a = depth * %(factor)d, .tag = "t%(i)d" };
	int arr[%(arr)d];
	uint64_t h = c->id * %(prime)du;
	const char *m2 = msg + (depth & 1);
	double fr = c->w[%(w)d] * 1.5;

	for (int k = 0; k < %(arr)d; k++)
		arr[k] = (int)h + k;
	l.n.key = helper1(c, arr[depth %% %(arr)d]);
	l.n.next = c->list;
	struct node *old = c->list;
	c->list = &l.n;
	snprintf(l.n.name, sizeof l.n.name, "n%(i)d-%%d", depth);
	int r = f%(next)d(c, depth + 1, m2);
	c->list = old;
	c->w[%(w)d] = fr;
	return r + l.a + arr[r & 3] + (int)l.tag[1];
}
"""

MAIN = """#include "many.h"

volatile int go;
int crash_tid = -1;
pthread_barrier_t bar;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) int
f%(depth)d(struct ctx *c, int depth, const char *msg)
{
	volatile int *volatile bad = NULL;

	c->st = ST_WAIT;
	pthread_barrier_wait(&bar);
	if (c->id == (uint64_t)crash_tid) {
		while (!go)
			usleep(1000);
		*bad = depth;
	}
	for (;;)
		pause();
	return strlen(msg);
}

static void *
worker(void *a)
{
	long id = (long)a;
	struct ctx c;

	memset(&c, 0, sizeof c);
	c.id = id;
	c.st = ST_RUN;
	c.flag_a = id;
	c.flag_b = id;
	c.label = "worker";
	c.mu = &mu;
	for (int i = 0; i < 4; i++)
		c.w[i] = id * .25 + i;
	return (void *)(long)f0(&c, 0, "message to the worker");
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1000;
	int crash = argc > 2 ? atoi(argv[2]) : 1;
	pthread_attr_t at;

	pthread_attr_init(&at);
	pthread_attr_setstacksize(&at, 256 * 1024);
	crash_tid = crash ? n / 2 : -1;
	pthread_barrier_init(&bar, NULL, n + 1);
	for (long i = 0; i < n; i++) {
		pthread_t t;

		if (pthread_create(&t, &at, worker, (void *)i)) {
			perror("pthread_create");
			return 2;
		}
	}
	pthread_barrier_wait(&bar);
	usleep(200000);
	printf("ready %%d\\n", (int)getpid());
	fflush(stdout);
	go = 1;
	while (!crash) {
		double before = now(), ms;

		usleep(1000);
		ms = now() - before;
		if (ms > 5) {
			printf("stopped %%.1f\\n", ms);
			fflush(stdout);
		}
	}
	for (;;)
		pause();
}
"""


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def generate(where, depth):
    """The sources; returns their paths."""
    os.makedirs(where, exist_ok=True)
    declared = "".join(
        f"int f{i}(struct ctx *c, int depth, const char *msg);\n"
        for i in range(depth + 1))
    write(os.path.join(where, "many.h"), HEADER + declared)
    paths = []
    for i in range(depth):
        paths.append(os.path.join(where, f"f{i}.c"))
        write(paths[-1], FUNCTION % {
            "i": i, "next": i + 1, "tag": 8 + i, "factor": i + 3,
            "arr": 4 + i % 5, "w": i % 4, "prime": 2654435761 + i})
    paths.append(os.path.join(where, "main.c"))
    write(paths[-1], MAIN % {"depth": depth})
    return paths


if __name__ == "__main__":
    generate(sys.argv[1], int(sys.argv[2]))

/* SPDX-License-Identifier: MIT */
/*
 *	stacks THREADS KILOBYTES [FRAMES]
 *
 * So many threads, its first among them. Each of the others waits with so much
 * stack in use (0, or 16 and more), all of it written to, below so many frames
 * of functions as servers have them: arguments, numbers, strings, structs. The
 * first stamps the time as often as it can, and tells, for each line on
 * standard input, the longest time since the last line for which it stood
 * still, in microseconds.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Few and large, so that nobody's time goes to counting frames. */
enum { FRAME = 16 * 1024 };

static atomic_long ready;
static long kilobytes, frames, longest;

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Until there is a line on standard input. */
static void
stamp(void)
{
	const struct timespec tick = {.tv_nsec = 200000};
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t last = now_ns(), now;

	while (ppoll(&in, 1, &tick, NULL) <= 0) {
		now = now_ns();
		if ((long)(now - last) > longest)
			longest = (long)(now - last);
		last = now;
	}
}

static void
wait_here(void)
{
	atomic_fetch_add(&ready, 1);
	for (;;)
		pause();
}

static void __attribute__((noinline)) deeper(long left)
{
	volatile char used[FRAME];

	memset((char *)used, 1, sizeof(used));
	if (left > 0)
		deeper(left - 1);
	else
		wait_here();
	used[0] = 2;
}

/* ---- frames with something in them ---- */

enum state { IDLE, READING, WRITING };

struct message {
	uint64_t id;
	enum state state;
	const char *label;
	char name[24];
	double weights[2];
};

/* What keeps a local variable where it is. */
#define KEEP(variable) __asm__ volatile("" : : "r"(&(variable)) : "memory")

/* Named so that each has one caller and calls one: mostly GDB's time for a
 * recursion would be that of looking for values at entry. */
#define FUNCTION(here, next)                                                   \
	static long __attribute__((noinline))                                  \
	here(struct message *m, long left, const char *text)                   \
	{                                                                      \
		struct message own = {.id = m->id + 1,                         \
		    .label = text,                                             \
		    .state = left & 1 ? READING : WRITING,                     \
		    .name = #here};                                            \
		int counts[4] = {(int)left, 1, 2, 3};                          \
		double mean = (double)left / 3;                                \
		long got = 0;                                                  \
                                                                               \
		KEEP(own);                                                     \
		KEEP(counts);                                                  \
		KEEP(mean);                                                    \
		if (left > 1)                                                  \
			got = next(&own, left - 1, own.name);                  \
		else                                                           \
			bottom();                                              \
		KEEP(own);                                                     \
		return got + counts[0] + (long)mean + (long)m->id;             \
	}

static void
bottom(void)
{
	if (kilobytes > 0)
		deeper(kilobytes * 1024 / FRAME - 1);
	else
		wait_here();
}

static long accept_one(struct message *m, long left, const char *text);
FUNCTION(write_row, accept_one)
FUNCTION(take_lock, write_row)
FUNCTION(find_row, take_lock)
FUNCTION(plan_query, find_row)
FUNCTION(parse_text, plan_query)
FUNCTION(read_request, parse_text)
FUNCTION(accept_one, read_request)

static void *
wait_deep(void *argument)
{
	struct message first = {.id = (uint64_t)(uintptr_t)argument};

	if (frames > 0)
		(void)accept_one(&first, frames, "first");
	else
		bottom();
	return NULL;
}

int
main(int argc, char **argv)
{
	long threads = argc > 1 ? atol(argv[1]) : 1;
	pthread_attr_t attributes;
	pthread_t thread;
	char line[16];

	kilobytes = argc > 2 ? atol(argv[2]) : 16;
	frames = argc > 3 ? atol(argv[3]) : 0;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(
	    &attributes, (size_t)(kilobytes * 2 + frames + 64) * 1024);
	for (long i = 1; i < threads; i++)
		if (pthread_create(&thread, &attributes, wait_deep, NULL) != 0)
			return 1;
	while (atomic_load(&ready) < threads - 1)
		usleep(1000);
	puts("ready");
	fflush(stdout);
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		stamp();
		if (fgets(line, sizeof(line), stdin) == NULL)
			break;
		printf("%ld\n", longest / 1000);
		fflush(stdout);
		longest = 0;
	}
	return 0;
}

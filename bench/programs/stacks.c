/* SPDX-License-Identifier: MIT */
/*
 *	stacks THREADS KILOBYTES
 *
 * So many threads, its first among them. Each of the others waits with so much
 * stack in use (16 or more), all of it written to. The first stamps the time as
 *often as it can, and tells, for each line on standard input, the longest time
 *since the last line for which it stood still, in microseconds.
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
static long kilobytes, longest;

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

static void __attribute__((noinline)) deeper(long left)
{
	volatile char used[FRAME];

	memset((char *)used, 1, sizeof(used));
	if (left > 0) {
		deeper(left - 1);
	} else {
		atomic_fetch_add(&ready, 1);
		for (;;)
			pause();
	}
	used[0] = 2;
}

static void *
wait_deep(void *argument)
{
	(void)argument;
	deeper(kilobytes * 1024 / FRAME - 1);
	return NULL;
}

int
main(int argc, char **argv)
{
	long threads = argc > 1 ? atol(argv[1]) : 1;
	pthread_attr_t attributes;
	pthread_t thread;
	char line[16];

	kilobytes = argc > 2 ? atol(argv[2]) : 1;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(
	    &attributes, (size_t)(kilobytes * 2 + 64) * 1024);
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

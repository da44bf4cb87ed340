/* SPDX-License-Identifier: MIT */
/*
 *	stacks THREADS KILOBYTES
 *
 * So many threads, each of which waits with so much stack in use, all of it
 * written to. One more stamps the time as often as it can, and tells, for each
 * line on standard input, the longest time since the last line for which it
 * stood still, in microseconds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_long longest, ready;
static long kilobytes;

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *
stamp(void *argument)
{
	uint64_t last = now_ns();

	(void)argument;
	for (;;) {
		const struct timespec tick = {.tv_nsec = 200000};
		uint64_t now;

		nanosleep(&tick, NULL);
		now = now_ns();
		if ((long)(now - last) > atomic_load(&longest))
			atomic_store(&longest, (long)(now - last));
		last = now;
	}
	return NULL;
}

static void __attribute__((noinline)) deeper(long left)
{
	volatile char used[1024];

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
	deeper(kilobytes);
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
	for (long i = 0; i < threads; i++)
		if (pthread_create(&thread, &attributes, wait_deep, NULL) != 0)
			return 1;
	while (atomic_load(&ready) < threads)
		usleep(1000);
	pthread_create(&thread, NULL, stamp, NULL);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		printf("%ld\n", atomic_exchange(&longest, 0) / 1000);
		fflush(stdout);
	}
	return 0;
}

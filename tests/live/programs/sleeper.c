/* SPDX-License-Identifier: MIT */
/*
 * One long call of each kind that the kernel restarts by itself, each in a
 * thread of its own; prints how each ended: "NAME RESULT ERRNO MILLISECONDS".
 *
 *	sleeper MILLISECONDS
 */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int quiet[2];
static long limit_ms;

static struct timespec
limit(void)
{
	return (struct timespec){limit_ms / 1000, limit_ms % 1000 * 1000000};
}

static long
do_nanosleep(void)
{
	const struct timespec t = limit();

	return nanosleep(&t, NULL);
}

static long
do_poll(void)
{
	struct pollfd p = {.fd = quiet[0], .events = POLLIN};

	return poll(&p, 1, (int)limit_ms);
}

static long
do_select(void)
{
	struct timeval t = {limit_ms / 1000, limit_ms % 1000 * 1000};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(quiet[0], &set);
	return select(quiet[0] + 1, &set, NULL, NULL, &t);
}

static long
do_futex(void)
{
	const struct timespec t = limit();
	static uint32_t word;

	return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
}

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {{"nanosleep", do_nanosleep}, {"poll", do_poll},
    {"select", do_select}, {"futex", do_futex}};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static void *
run(void *argument)
{
	long i = (long)(intptr_t)argument, result, error;
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	errno = 0;
	result = calls[i].call();
	error = errno;
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%s %ld %ld %ld\n", calls[i].name, result, error,
	    (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t threads[CALLS];

	limit_ms = argc > 1 ? atol(argv[1]) : 1500;
	if (pipe(quiet) != 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (long i = 0; i < CALLS; i++)
		pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
	for (int i = 0; i < CALLS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

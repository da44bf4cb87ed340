/* SPDX-License-Identifier: MIT */
/*
 * crowd THREADS [FILTER]: so many threads wait, each with a number of its own
 * on its stack, and then one crashes. FILTER goes to
 * /proc/self/coredump_filter.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_barrier_t barrier;
static int answers[4] = {3, 1, 4, 1};
static const char *const words[] = {"zero", "one", "two", "three"};

static __attribute__((noinline)) int
attend(int number, const char *word)
{
	int twice = number * 2;

	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	return twice + word[0];
}

static void *
member(void *arg)
{
	int number = *(int *)arg;

	return (void *)(long)attend(number, words[number % 4]);
}

static __attribute__((noinline)) int
disturb(int *where, int *given)
{
	int sum = given[0] + given[2];

	*where = sum; /* crashes */
	return sum;
}

int
main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1;
	int *numbers = calloc((size_t)count + 1, sizeof(*numbers));
	pthread_attr_t attr;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, (unsigned)count + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (int i = 0; i < count; i++) {
		numbers[i] = i;
		if (pthread_create(&thread, &attr, member, &numbers[i]) != 0)
			return 3;
	}
	pthread_barrier_wait(&barrier);
	if (argc > 2) {
		FILE *f = fopen("/proc/self/coredump_filter", "w");

		if (f == NULL || fputs(argv[2], f) < 0 || fclose(f) != 0)
			return 3;
	}
	return disturb((int *)0, answers);
}

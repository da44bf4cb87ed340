/* SPDX-License-Identifier: MIT */
/*
 * A large process in which little matters: 64 MiB of data, of which a local
 * variable points to one struct in the middle, and a thread that waits.
 *
 *	big crash    dies of a null pointer
 *	big await    says "ready" and waits
 *
 * Both lie at the same addresses.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

enum { SIZE = 64 << 20 };

struct order {
	int number;
	char customer[32];
};

static volatile int *null_pointer;

static void *
idle(void *arg)
{
	for (;;)
		(void)pause();
	return arg;
}

__attribute__((noinline)) static int
ship(const struct order *order, const char *how)
{
	if (strcmp(how, "await") == 0) {
		(void)puts("ready");
		(void)fflush(stdout);
		(void)pause();
	}
	*null_pointer = order->number;
	return order->number;
}

int
main(int argc, char **argv)
{
	unsigned char *data;
	struct order *order;
	pthread_t thread;
	int old = personality(0xffffffff);

	if (old != -1 && (old & ADDR_NO_RANDOMIZE) == 0 &&
	    personality((unsigned long)old | ADDR_NO_RANDOMIZE) != -1)
		(void)execv("/proc/self/exe", argv);
	data = malloc(SIZE);
	if (argc < 2 || data == NULL ||
	    pthread_create(&thread, NULL, idle, NULL) != 0)
		return 1;
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (unsigned char)(i * 2654435761u >> 13);
	order = (struct order *)(void *)(data + SIZE / 2 + 4096 * 3 + 64);
	order->number = 4711;
	(void)strcpy(order->customer, "Ada Lovelace");
	return ship(order, argv[1]);
}

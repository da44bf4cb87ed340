/* SPDX-License-Identifier: MIT */
/*
 * A large heap: bigheap MIB THREADS. Linked records of mixed sizes, some freed
 * in between; threads hold pointers into it on their stacks. Then a dangling
 * link is followed.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct record {
	struct record *next;
	size_t length;
	unsigned long id;
	char data[];
};

enum { LISTS = 64 };
static struct record *heads[LISTS];
static pthread_barrier_t full;

__attribute__((noinline)) static void
hold(struct record *r, int depth)
{
	char text[64];

	snprintf(text, sizeof(text), "%lu/%d", r != NULL ? r->id : 0, depth);
	if (depth > 0) {
		hold(r != NULL ? r->next : NULL, depth - 1);
	} else {
		pthread_barrier_wait(&full);
		for (;;)
			pause();
	}
	puts(text);
}

static void *
run(void *arg)
{

	hold(heads[(long)arg % LISTS], 20);
	return NULL;
}

static unsigned long
next_random(unsigned long *x)
{

	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void
fill(size_t bytes)
{
	unsigned long x = 88172645463325252ul, id = 0;

	for (size_t total = 0; total < bytes;) {
		unsigned long r = next_random(&x);
		size_t length = (r >> 40) % 500 == 0 ? 1 << 16 : 16 + r % 1000;
		struct record *new = malloc(sizeof(*new) + length);

		if (new == NULL)
			exit(2);
		new->length = length;
		new->id = id++;
		new->next = heads[r % LISTS];
		heads[r % LISTS] = new;
		for (size_t i = 0; i + 8 <= length; i += 8) {
			memcpy(new->data + i, &r, 8);
			r = r * 6364136223846793005ul + 1;
		}
		total += sizeof(*new) + length;
		if ((r >> 33) % 7 == 0 && heads[1] != NULL) {
			struct record *old = heads[1];

			heads[1] = old->next;
			free(old);
		}
	}
}

int
main(int argc, char **argv)
{
	size_t mib = argc > 1 ? (size_t)atol(argv[1]) : 2048;
	long n = argc > 2 ? atol(argv[2]) : 16;
	struct record *bad;

	fill(mib << 20);
	pthread_barrier_init(&full, NULL, (unsigned)n + 1);
	for (long i = 0; i < n; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, run, (void *)i) != 0)
			return 2;
	}
	pthread_barrier_wait(&full);
	usleep(100000);
	memcpy(&bad, heads[3]->data, sizeof(bad));
	printf("%lu\n", bad->id);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * What can be done to a heap, by name: victim CASE. Variables of main point to
 * blocks of all kinds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
	struct node *next;
	void (*call)(void);
	long value[4];
};

static char global[64];
static void *volatile keep;

__attribute__((noinline)) static void
release(void *p)
{
	free(p);
	keep = p;
}

#ifdef FOREIGN
/* The C library's own, whatever malloc is. */
extern void *__libc_malloc(size_t size);
#endif

__attribute__((noinline)) static long
follow(struct node *n)
{
	return n->next->value[1];
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char *used = malloc(40), *interior = used + 8;
	char *freed = malloc(100), *other = malloc(100);
	char *large = malloc(3 << 20);
	char local[64], *onstack = local;
	struct node *node = malloc(sizeof(*node));

	memset(used, 1, 40);
	memset(large, 1, 100);
	memset(local, 1, sizeof(local));
	node->next = node;
	free(freed);
	keep = onstack;
	if (strcmp(what, "twice") == 0) {
		/* Not at once: the second is not the head of its list. */
		release(other);
		release(freed);
	} else if (strcmp(what, "stack") == 0) {
		release(local);
	} else if (strcmp(what, "static") == 0) {
		release(global + 16);
	} else if (strcmp(what, "interior") == 0) {
		release(interior + 8);
#ifdef FOREIGN
	} else if (strcmp(what, "foreign") == 0) {
		void *theirs = __libc_malloc(100);

		memset(theirs, 1, 100);
		release(theirs);
#endif
	} else if (strcmp(what, "use") == 0) {
		memset(node, 0x5a, sizeof(*node));
		release(node);
		printf("%ld\n", follow(node));
	} else if (strcmp(what, "overflow") == 0) {
		memset(used, 'A', 41);
		release(used);
	}
	abort();
}

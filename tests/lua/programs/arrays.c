/* SPDX-License-Identifier: MIT */
/*
 * A tail queue and an array behind a pointer, for a module that walks both.
 */
#include <stdlib.h>
#include <sys/queue.h>

struct leaf {
	int c;
};
struct node {
	struct leaf n;
	STAILQ_ENTRY(node) linkage;
};
struct some_struct {
	int a;
	double b;
	struct leaf nested, *np, **npp, ***nppp;
	STAILQ_HEAD(, node) list;
	const char *text;
};
struct array_struct {
	struct some_struct *kids;
	int len;
};

struct some_struct some_struct_g;
static struct leaf leaf = {99};
static struct leaf *p = &leaf, **pp = &p;

static void
die(struct array_struct *papa)
{
	struct array_struct papa_copy = *papa;

	*(volatile int *)0 = papa_copy.len;
}

int
main(void)
{
	struct array_struct papa = {calloc(10, sizeof(struct some_struct)), 10};

	STAILQ_INIT(&some_struct_g.list);
	for (int i = 0; i < 10; i++) {
		struct node *node = calloc(1, sizeof(*node));

		node->n.c = i * i;
		STAILQ_INSERT_TAIL(&some_struct_g.list, node, linkage);
		papa.kids[i].a = i;
		papa.kids[i].b = i / 2.0;
		papa.kids[i].nppp = &pp;
	}
	die(&papa);
	return 0;
}

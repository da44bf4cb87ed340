/* SPDX-License-Identifier: MIT */
/*
 * Recursion of three functions that call each other, to any depth, and abort
 * at the bottom: deep DEPTH. Needs a stack limit to match.
 */
#include <stdio.h>
#include <stdlib.h>

struct tree {
	struct tree *left, *right;
	long value;
};

volatile long sink;
static long limit = -1;

long walk_b(struct tree *t, long depth, const char *why);

__attribute__((noinline)) static void
bottom(long depth)
{

	if (depth == limit)
		abort();
}

__attribute__((noinline)) static long
walk_a(struct tree *t, long depth, const char *why)
{
	long key = t->value + depth, r;

	bottom(depth);
	r = walk_b(t->left != NULL ? t->left : t, depth + 1, why);
	sink += key;
	return r + key;
}

__attribute__((noinline)) static long
walk_c(struct tree *t, long depth, const char *why)
{
	struct tree copy = *t;
	long r;

	copy.value += depth;
	bottom(depth);
	r = walk_a(
	    t->right != NULL ? t->right : t, depth + 1, why + (depth & 1));
	sink += copy.value;
	return r + copy.value;
}

__attribute__((noinline)) long
walk_b(struct tree *t, long depth, const char *why)
{
	long r;

	bottom(depth);
	r = (depth & 3) != 0 ? walk_a(t, depth + 1, why)
			     : walk_c(t, depth + 1, why);
	sink += depth;
	return r ^ depth;
}

int
main(int argc, char **argv)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL || argc != 2)
		return 2;
	t->left = t->right = t;
	t->value = 7;
	limit = atol(argv[1]);
	return (int)walk_a(t, 0, "recursion without a base case");
}

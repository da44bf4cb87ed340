/* SPDX-License-Identifier: MIT */
/*
 * A program for modules to look at: structs, lists, pointers of several
 * levels, enumerations, floats, text, globals, thread-local variables, and a
 * recursion that ends in a null pointer.
 */
#include <complex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nested {
	int v;
	struct nested *next;
};

enum color { RED, GREEN = 7 };

struct crash_item {
	int id;
	unsigned low : 3, high : 5;
	double load;
	float ratio;
	const char *who;
	char text[8];
	enum color color;
	struct nested in, *list, **deep, ***deeper;
	unsigned long big;
	long negative;
	struct {
		int hidden;
	};
	int numbers[3];
	void (*fn)(void);
	double _Complex wave;
};

static void
helper(void)
{
}

const char *global_version = "v1.2.3";
char global_text[16] = "in an array";

struct kinds {
	long double ldbl;
	float _Complex cflt;
	long double _Complex cldbl;
	double dbl;
	unsigned ull;
	int *nowhere;
};
struct kinds kinds = {
    0.5L, 1.0f + 2.0f * I, 3.0L + 4.0L * I, 0.25, 6, (int *)8};

__thread int tls_counter = 42;

static struct nested one = {1, NULL}, two = {2, &one};
static struct nested *p_two = &two, **pp_two = &p_two;

struct crash_item item = {
    .id = 7,
    .low = 5,
    .high = 17,
    .load = 2.5,
    .ratio = 0.5f,
    .who = "global",
    .text = "short",
    .color = GREEN,
    .in = {3, NULL},
    .list = &two,
    .deep = &p_two,
    .deeper = &pp_two,
    .big = 0xfedcba9876543210ul,
    .negative = -3,
    .hidden = 9,
    .numbers = {10, 20, 30},
    .fn = helper,
    .wave = 1.0 + 2.0 * I,
};
typedef struct {
	int inner;
} unnamed_t;
unnamed_t unnamed = {77};

/* Neighbours on the heap, as numbers; the second one was freed. */
uintptr_t blocks[3];

static int
recurse(struct crash_item *pointer, int n, const char *name)
{
	struct crash_item local = *pointer;
	int result;

	local.id = n;
	if (n == 0) {
		volatile int *null = NULL;

		*null = 1;
	}
	result = recurse(pointer, n - 1, name);
	return result + local.id;
}

int
main(void)
{

	tls_counter++;
	for (int i = 0; i < 3; i++)
		blocks[i] = (uintptr_t)malloc(40);
	free((void *)blocks[1]);
	return recurse(&item, 3, "bob");
}

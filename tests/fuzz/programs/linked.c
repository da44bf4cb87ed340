/* SPDX-License-Identifier: MIT */
/*
 * A program with the C library, whose core has the loader's list of modules
 * and the heap of ptmalloc: a seed of the core target (seeds.py). It dies of
 * abort(), which the library's own frames are of.
 */
#include <stdlib.h>
#include <string.h>

static char *volatile kept[8];

static void
fill(int n)
{
	kept[n] = malloc(24 + (size_t)n * 8);
	if (kept[n] != NULL)
		strcpy(kept[n], "in the heap");
	if (n == 7)
		abort();
	free(kept[n / 2]);
	fill(n + 1);
}

int
main(void)
{
	fill(0);
	return 0;
}

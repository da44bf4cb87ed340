/* SPDX-License-Identifier: MIT */
/* A library in two versions: the same interface, other functions inside. */
#include <stdlib.h>

__attribute__((noinline)) static void
last(void)
{

	abort();
}

#ifdef NEWER
__attribute__((noinline)) static void
inner_two(void)
{

	last();
}

__attribute__((noinline)) static int
read_newer(int *p, int depth)
{

	return depth == 0 ? *p : read_newer(p, depth - 1) + 1;
}
#endif

void
mi_check(void)
{

#ifdef NEWER
	inner_two();
#else
	last();
#endif
}

int
mi_read(int *p)
{

#ifdef NEWER
	return read_newer(p, 2);
#else
	return *p;
#endif
}

#ifndef NEWER
__attribute__((noinline)) static void
each_helper(void (*visit)(int))
{

	visit(1);
}
#endif

void
mi_each(void (*visit)(int))
{

#ifdef NEWER
	visit(1);
#else
	each_helper(visit);
#endif
}

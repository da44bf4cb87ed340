/* SPDX-License-Identifier: MIT */
/* Dies in, below and because of a library, in the way its argument names. */
#include <string.h>

void mi_check(void);
int mi_read(int *p);
void mi_each(void (*visit)(int));

__attribute__((noinline)) static void
use(void)
{

	mi_check();
}

__attribute__((noinline)) static int
load(int *p)
{

	return mi_read(p);
}

__attribute__((noinline)) static void
visit(int i)
{

	*(volatile int *)0 = i;
}

__attribute__((noinline)) static void
walk(void)
{

	mi_each(visit);
}

__attribute__((noinline)) static void
other(void)
{

	mi_check();
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "die";

	if (strcmp(what, "fault") == 0)
		return load(NULL);
	if (strcmp(what, "callback") == 0)
		walk();
	else if (strcmp(what, "other") == 0)
		other();
	else
		use();
	return 0;
}

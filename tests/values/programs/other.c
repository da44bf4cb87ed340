/* SPDX-License-Identifier: MIT */
/* Another unit of the program: what globals.c only declares. */
#include <stdlib.h>

static int same = 2;

struct opaque {
	int secret;
	struct opaque *self;
};

struct opaque *make(void);
int other(void);

struct opaque *
make(void)
{
	struct opaque *o = malloc(sizeof(*o));

	o->secret = 99;
	o->self = o;
	return o;
}

int
other(void)
{
	return ++same;
}

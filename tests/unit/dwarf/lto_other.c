/* SPDX-License-Identifier: MIT */
/* See lto_main.c: here is what is only declared there. */
#include <stdlib.h>
struct inner {
	int z;
};
struct fwd {
	int a;
	struct inner in;
	struct fwd *next;
};
static int
helper(struct fwd *p)
{
	int v = p->a;
	struct inner *ip = &p->in;
	return v + ip->z;
}
int
other(struct fwd *p, int k)
{
	int h = helper(p);
	for (int i = 0; i < k; i++) {
		struct fwd *n = p->next;
		if (n)
			h += helper(n);
	}
	return h;
}
struct fwd *
mk(int a)
{
	struct fwd *f = calloc(1, sizeof *f);
	f->a = a;
	return f;
}

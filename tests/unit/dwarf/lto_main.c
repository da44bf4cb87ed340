/* SPDX-License-Identifier: MIT */
/* Two units that GCC inlines into each other with -flto. */
#include <stdio.h>
struct fwd;
struct nowhere;
extern int other(struct fwd *p, int k);
struct fwd *mk(int);
static int
inl(int a)
{
	int loc = a * 3;
	struct fwd *p = mk(a);
	struct nowhere *nothing = 0;
	return loc + other(p, loc) + (nothing != 0);
}
enum e { A = -1, B };
int
use(enum e x)
{
	static int n;
	n++;
	return x + n;
}
int
main(int argc, char **argv)
{
	int r = 0;
	for (int i = 0; i < argc; i++) {
		int q = inl(i);
		r += q;
	}
	printf("%d %d\n", r, use(B));
	return 0;
}

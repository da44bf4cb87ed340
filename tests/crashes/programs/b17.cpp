/* SPDX-License-Identifier: MIT */
/*
 @id b17
 @cls bit-flip
 @dir read
 @flags -O0 -g
 @mode core
 A flipped bit that no address can have.
*/
#include <stdint.h>

struct N {
	N *l, *r;
	long k;
};
__attribute__((noinline)) static long
sum(N *n)
{
	return n ? n->k + sum(n->l) + sum(n->r) : 0;
}
__attribute__((noinline)) static N *
mk(int d)
{
	if (!d)
		return nullptr;
	N *n = new N{mk(d - 1), mk(d - 1), d};
	return n;
}
int
main()
{
	N *t = mk(8);
	t->l->r->l = (N *)((uintptr_t)t->l->r->l ^ (1ul << 61));
	return (int)sum(t);
}

/* SPDX-License-Identifier: MIT */
/*
 @id r20
 @cls null-call
 @dir exec
 @flags -O0 -g
 @mode core
 @never pure
 @note a callback that is null, called for an object whose class is complete:
       behind its table of virtual functions another one begins with a null
*/
struct Door {
	virtual int open(int x) { return x + 1; }
	int width = 2;
};
struct Gate : Door {
	int open(int x) override { return x + width; }
};
__attribute__((noinline)) static int visit(Door *d, int (*callback)(Door *))
{
	return callback(d) + d->open(1);
}
int main(int argc, char **argv)
{
	Gate g;
	Door d;

	return visit(argc > 5 ? &d : &g, argc > 9 ? (int (*)(Door *))argv : 0);
}

/* SPDX-License-Identifier: MIT */
/*
 @id v07
 @cls bad-jump
 @dir exec
 @flags -O0 -g
 @never virtual|of the class|no table of functions
 @mode core
 @note a table of functions in C, one of which is bad: no virtual function
*/
struct ops {
	int (*open)(void *), (*close)(void *);
};
struct file {
	const struct ops *ops;
	int n;
};
static int
good(void *p)
{
	return p != 0;
}
__attribute__((noinline)) static int
use(struct file *f)
{
	return f->ops->open(f) + f->ops->close(f);
}
int
main(void)
{
	struct ops ops = {good, (int (*)(void *))0x123456789000};
	struct file f = {&ops, 1};

	return use(&f);
}

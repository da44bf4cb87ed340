/* Tail calls at -O2: frames that are not on the stack. */
#include <stdlib.h>
volatile int sink;
__attribute__((noinline)) static int
last(int a, int b)
{
	sink = a * b;
	if (sink)
		abort();
	return sink;
}
__attribute__((noinline)) static int
middle(int a)
{
	sink++;
	return last(a + 1, 17);
}
__attribute__((noinline)) static int
first(int a)
{
	sink = a;
	return middle(a * 2);
}
int
main(int argc, char **argv)
{
	int result = first(argc + 4);
	(void)argv;
	return result + 1;
}

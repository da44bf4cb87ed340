/* Plain and mutual recursion with locals that differ in every frame. */
#include <stdlib.h>
static int odd(unsigned n, char *trail);
__attribute__((noinline)) static int
even(unsigned n, char *trail)
{
	char mark = (char)('a' + n % 26);
	trail[n] = mark;
	if (n == 0)
		abort();
	return odd(n - 1, trail) + mark;
}
__attribute__((noinline)) static int
odd(unsigned n, char *trail)
{
	unsigned long square = (unsigned long)n * n;
	trail[n] = '.';
	if (n == 0)
		abort();
	int below = even(n - 1, trail);
	return below + (int)square + trail[n];
}
int
main(void)
{
	char trail[64] = {0};
	return even(6, trail);
}

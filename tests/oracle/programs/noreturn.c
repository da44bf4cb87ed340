/* A call to abort() as the very last instruction of a function. */
#include <stdlib.h>
#include <stdio.h>
__attribute__((noinline, noreturn)) static void
die(const char *why, int code)
{
	char text[32];
	snprintf(text, sizeof(text), "%s/%d", why, code);
	if (text[0] == 'n')
		abort();
	exit(code);
}
__attribute__((noinline)) static int
check(int value)
{
	int copy = value ^ 0x55;
	if (copy != value)
		die("no good", copy);
	return copy;
}
int
main(void)
{
	return check(12);
}

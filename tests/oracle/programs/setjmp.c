/* After a longjmp, and an atexit handler that dies. */
#include <setjmp.h>
#include <stdlib.h>
static jmp_buf env;
static int tries;
__attribute__((noinline)) static void
leap(int code)
{
	int doubled = code * 2;
	tries++;
	longjmp(env, doubled);
}
static void
farewell(void)
{
	int left = tries;
	if (left)
		abort();
}
int
main(void)
{
	volatile int state = 1;
	int code = setjmp(env);
	atexit(farewell);
	if (code < 6) {
		state++;
		leap(code + 1);
	}
	exit(state);
}

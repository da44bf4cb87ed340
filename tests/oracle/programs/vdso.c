/* A fault inside the vdso: clock_gettime with a bad pointer. */
#include <time.h>
#include <stdint.h>
__attribute__((noinline)) static int
ask(clockid_t clock, struct timespec *where)
{
	int answer = clock_gettime(clock, where);
	return answer + 1;
}
int
main(int argc, char **argv)
{
	uintptr_t bad = 0x1000 + (uintptr_t)argc * 16;
	(void)argv;
	return ask(CLOCK_MONOTONIC, (struct timespec *)bad);
}

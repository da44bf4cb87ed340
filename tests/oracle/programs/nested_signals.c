/* Three handlers inside each other. */
#include <signal.h>
#include <stdlib.h>
__attribute__((noinline)) static void
level(int number)
{
	int next = number == SIGUSR1 ? SIGUSR2 : SIGTERM;
	if (number == SIGTERM)
		abort();
	raise(next);
}
static void
handler(int number)
{
	volatile int seen = number;
	level(seen);
}
int
main(void)
{
	unsigned count = 3;
	signal(SIGUSR1, handler);
	signal(SIGUSR2, handler);
	signal(SIGTERM, handler);
	raise(SIGUSR1);
	return (int)count;
}

/* A SIGSEGV handler on an alternate stack that aborts. */
#include <signal.h>
#include <stdlib.h>
static int *volatile where;
static char stack[65536];
__attribute__((noinline)) static void
report(int number, void *address)
{
	int copy = number * 3;
	if (address != (void *)1)
		abort();
	where = &copy;
}
static void
handler(int number, siginfo_t *info, void *context)
{
	void *address = info->si_addr;
	(void)context;
	report(number, address);
}
__attribute__((noinline)) static int
touch(int value)
{
	int before = value + 1;
	*where = before;
	return before;
}
int
main(void)
{
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction sa = {.sa_sigaction = handler,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK};
	sigaltstack(&ss, 0);
	sigaction(SIGSEGV, &sa, 0);
	return touch(41);
}

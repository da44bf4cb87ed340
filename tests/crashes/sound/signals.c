/* SPDX-License-Identifier: MIT */
/*
 * A sound, busy program whose handlers run all the time, some on an alternate
 * stack and one in the other; it touches guard pages on purpose and recovers,
 * as garbage collectors do, jumps out of deep calls, and runs coroutines.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK = 64 << 10, PAGE = 4096 };

static volatile unsigned long count;
static char *barrier;
static ucontext_t here, there;
static char coroutine_stack[STACK];
static jmp_buf out;

static void
tick(int number)
{
	volatile char text[256];

	memset((char *)text, number, sizeof(text));
	count += (unsigned char)text[7];
	if (number == SIGALRM && count % 3 == 0)
		raise(SIGUSR1);
}

/* A write barrier: the page is opened, and the write happens again. */
static void
fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if ((char *)info->si_addr < barrier ||
	    (char *)info->si_addr >= barrier + PAGE)
		_exit(9);
	mprotect(barrier, PAGE, PROT_READ | PROT_WRITE);
	count++;
}

static void
coroutine(void)
{
	for (;;) {
		char *block = malloc(1000 + count % 100);

		memset(block, 0xaa, 1000);
		free(block);
		swapcontext(&there, &here);
	}
}

static void
deep(unsigned n)
{
	volatile char pad[100];

	pad[n % 100] = (char)n;
	if (n == 0)
		longjmp(out, 1);
	deep(n - 1);
	count += (unsigned char)pad[n % 100];
}

int
main(void)
{
	struct itimerval often = {{0, 300}, {0, 300}};
	struct sigaction on_tick = {.sa_handler = tick, .sa_flags = SA_RESTART};
	struct sigaction on_fault = {
	    .sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t alternate = {.ss_sp = malloc(STACK), .ss_size = STACK};

	sigaltstack(&alternate, NULL);
	sigaction(SIGALRM, &on_tick, NULL);
	on_tick.sa_flags |= SA_ONSTACK;
	sigaction(SIGUSR1, &on_tick, NULL);
	sigaction(SIGSEGV, &on_fault, NULL);
	barrier = mmap(
	    NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	getcontext(&there);
	there.uc_stack.ss_sp = coroutine_stack;
	there.uc_stack.ss_size = STACK;
	makecontext(&there, coroutine, 0);
	setitimer(ITIMER_REAL, &often, NULL);
	for (;;) {
		if (setjmp(out) == 0)
			deep(100 + (unsigned)(count % 400));
		swapcontext(&here, &there);
		mprotect(barrier, PAGE, PROT_READ);
		*(volatile char *)barrier = (char)count;
	}
}

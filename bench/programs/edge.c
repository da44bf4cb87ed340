/* SPDX-License-Identifier: MIT */
/*
 * Twelve threads, each in a state that unwinders get wrong, in one core:
 * a signal handler on its own stack, dynamic stack space, no call frame
 * information with and without a frame pointer, the vdso, a call that does
 * not return at the very end of a function, a coroutine, generated code, a
 * callback from libc, inlined functions, a smashed array, a call of null.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

static volatile int ready;
volatile long sink;

extern long nocfi_fp(void (*f)(void), long n);
extern long nocfi_nofp(void (*f)(void), long n);

static void
arrive(void)
{

	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
}

static void
park(void)
{

	arrive();
	for (;;)
		pause();
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
	char tag[16] = "in-handler";

	(void)number;
	(void)info;
	(void)context;
	sink += tag[3];
	park();
}

NOINLINE static long
leaf(long n)
{

	for (;;) {
		sink += n;
		n ^= sink;
	}
	return n;
}

NOINLINE static long
above_leaf(long n)
{
	long r = leaf(n + 1);

	return r + 1;
}

static void *
in_handler(void *arg)
{
	stack_t s = {.ss_sp = malloc(65536), .ss_size = 65536};

	sigaltstack(&s, NULL);
	arrive();
	return (void *)above_leaf((long)arg);
}

NOINLINE static long
dynamic(int n)
{
	char array[n];
	char *more;

	memset(array, n, (size_t)n);
	more = alloca((size_t)n * 2);
	memset(more, 1, (size_t)n * 2);
	park();
	return array[n / 2] + more[n];
}

static void *
dynamic_stack(void *arg)
{

	return (void *)dynamic(500 + (int)(long)arg);
}

static void *
without_cfi(void *arg)
{

	(void)arg;
	return (void *)nocfi_fp(park, 5);
}

static void *
without_both(void *arg)
{

	(void)arg;
	return (void *)nocfi_nofp(park, 5);
}

static void *
in_vdso(void *arg)
{
	struct timespec t;

	(void)arg;
	arrive();
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		sink += t.tv_nsec;
	}
}

__attribute__((noreturn)) NOINLINE static void
fatal(const char *why)
{

	sink += why[0];
	park();
	abort();
}

NOINLINE static int
check(int x)
{

	if (x > 0)
		fatal("does not return");
	return x;
}

static void *
at_end(void *arg)
{

	(void)arg;
	return (void *)(long)check(1 + (ready >= 0));
}

NOINLINE static void
body(void)
{

	park();
}

static void *
coroutine(void *arg)
{
	static ucontext_t back, context;
	static char stack[65536];

	(void)arg;
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = sizeof(stack);
	context.uc_link = &back;
	makecontext(&context, body, 0);
	swapcontext(&back, &context);
	return NULL;
}

static void *
generated(void *arg)
{
	/* push rbp; mov rbp, rsp; sub rsp, 16; call rdi; leave; ret */
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83,
	    0xec, 0x10, 0xff, 0xd7, 0xc9, 0xc3};
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*function)(void (*)(void));

	(void)arg;
	memcpy(p, code, sizeof(code));
	memcpy(&function, &p, sizeof(p));
	function(park);
	return NULL;
}

NOINLINE static int
compare(const void *a, const void *b)
{
	static int once;

	if (once++ == 0)
		park();
	return *(const int *)a - *(const int *)b;
}

static void *
callback(void *arg)
{
	int v[40];

	(void)arg;
	for (int i = 0; i < 40; i++)
		v[i] = 40 - i;
	qsort(v, 40, sizeof(*v), compare);
	return NULL;
}

INLINE long
third(long x)
{
	long product = x * 3;

	sink += product;
	park();
	return product;
}

INLINE long
second(long x)
{
	long sum = x + 2;

	return third(sum) + sum;
}

NOINLINE static long
first(long x)
{

	return second(x ^ 9) + 1;
}

static void *
inlined(void *arg)
{

	(void)arg;
	return (void *)first(4);
}

static void *
smashed(void *arg)
{
	volatile long local[4];

	(void)arg;
	for (int i = 0; i < 40; i++)
		((volatile char *)local)[i] = 0x41;
	park();
	return (void *)local[0];
}

NOINLINE static long
call(long (*f)(long), long n)
{
	long r = f(n);

	return r + 1;
}

static void
wait_for(int n)
{

	while (ready < n)
		usleep(1000);
}

int
main(void)
{
	static void *(*const threads[])(void *) = {dynamic_stack, without_cfi,
	    without_both, in_vdso, at_end, coroutine, generated, callback,
	    inlined, smashed};
	struct sigaction sa = {
	    .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	long (*volatile none)(long) = NULL;
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&t, NULL, in_handler, NULL);
	wait_for(1);
	pthread_kill(t, SIGUSR1);
	wait_for(2);
	for (unsigned i = 0; i < sizeof(threads) / sizeof(*threads); i++) {
		pthread_create(&t, NULL, threads[i], (void *)(long)i);
		wait_for(3 + (int)i);
	}
	usleep(50000);
	return (int)call(none, 3);
}

/* SPDX-License-Identifier: MIT */
/*
 * Faults that leave an odd stack: fault NAME [hold]. With hold a handler on a
 * stack of its own catches the signal and waits.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NI __attribute__((noinline))

static volatile long sink;
static volatile long *volatile nowhere = (volatile long *)16;
static long data[4] = {0x0b0f, 1, 2, 3};
extern int picked(int n);
extern void (*picked_hook)(void);

NI static void
hold(int number)
{
	sink += number;
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}

NI static long
call(long (*f)(long), long n)
{
	long r = f(n + 1);

	return r + sink;
}

NI static long
run_null(void)
{
	return call(NULL, 1) + sink;
}

NI static long
run_unmapped(void)
{
	return call((long (*)(long))0x123450, 1) + sink;
}

NI static long
run_data(void)
{
	return call((long (*)(long))(void *)data, 1) + sink;
}

NI static long
run_wild(void)
{
	return call((long (*)(long))0x4141414141414141, 1) + sink;
}

NI static long
run_vdso(void)
{
	sink += clock_gettime(CLOCK_MONOTONIC, (struct timespec *)0x1010);
	return sink;
}

/* The slot behind the call's PLT entry, once it is bound: made non-canonical,
 * so that the jump itself faults, inside the stub. */
NI static long
run_plt(void)
{
	unsigned long bound, *table;

	__asm__("lea _GLOBAL_OFFSET_TABLE_(%%rip), %0" : "=r"(table));
	sink += (long)strlen(environ[0]);
	bound = (unsigned long)dlsym(RTLD_DEFAULT, "strlen");
	for (int i = 3; i < 64; i++) {
		if (table[i] == bound) {
			table[i] |= 1UL << 60;
			break;
		}
	}
	sink += (long)strlen(environ[0]);
	return sink;
}

NI static void
in_resolver(void)
{
	sink++;
	*nowhere = 1;
	sink++;
}

NI static long
run_lazy(void)
{
	picked_hook = in_resolver;
	sink += picked(2);
	return sink;
}

NI static long
recurse(long n)
{
	long r = n == 0 ? *nowhere : recurse(n - 1);

	return r + sink;
}

enum { DEEP = 1000000 };

NI static long
run_deep(void)
{
	return recurse(DEEP - 1) + sink;
}

/* Two functions in turn, on and on, until the stack is full. */
static long even(long n);

NI static long
odd(long n)
{
	long r = even(n + 1);

	return r + sink;
}

NI static long
even(long n)
{
	long r = odd(n + 2);

	return r + sink;
}

NI static long
run_overflow(void)
{
	return even(0) + sink;
}

/* The stack pointer itself is lost. */
NI static long
run_lost(void)
{
	__asm__ volatile("mov $16, %rsp\n\tud2");
	return sink;
}

/* The stack pointer points to code, which looks like nothing. */
NI static long
run_code(void)
{
	__asm__ volatile("lea run_code_text(%rip), %rsp\nrun_code_text: ud2");
	return sink;
}

/* Takes its own code away: the return into it faults. */
__attribute__((noinline, section(".gone"), aligned(4096))) static long
gone(long n)
{
	long r = munmap((void *)gone, 4096);

	return r + n + sink;
}

NI static long
run_gone(void)
{
	return gone(2) + sink;
}

/* ud2 in code made at run time, with a frame pointer. */
NI static long
run_jit(void)
{
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83,
	    0xec, 0x20, 0x0f, 0x0b, 0xc9, 0xc3};
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(p + 128, code, sizeof(code));
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	((void (*)(void))(void *)(p + 128))();
	return sink;
}

/* Dies in the third handler, the second of which has a stack of its own. */
NI static void
on_signal(int number)
{
	if (number == SIGHUP)
		*nowhere = 1;
	raise(number == SIGUSR1 ? SIGUSR2 : SIGHUP);
	sink++;
}

NI static long
run_handlers(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR2, &sa, NULL);
	sink += raise(SIGUSR1);
	return sink;
}

static void
catch_faults(int catching)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL};
	stack_t s = {.ss_size = 1 << 16};
	struct sigaction sa;

	s.ss_sp = mmap(NULL, s.ss_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaltstack(&s, NULL);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = hold;
	sa.sa_flags = SA_ONSTACK;
	for (int i = 0; catching && i < 3; i++)
		sigaction(signals[i], &sa, NULL);
}

/* A stack for a million frames, whatever the shell allows. */
static void
with_room(char **argv)
{
	struct rlimit r;

	getrlimit(RLIMIT_STACK, &r);
	if (r.rlim_cur >= 256UL << 20)
		return;
	r.rlim_cur = 256UL << 20;
	if (r.rlim_max != RLIM_INFINITY && r.rlim_max < r.rlim_cur)
		exit(77);
	setrlimit(RLIMIT_STACK, &r);
	execv("/proc/self/exe", argv);
	exit(77);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*run)(void);
	} all[] = {
	    {"null", run_null},
	    {"unmapped", run_unmapped},
	    {"data", run_data},
	    {"wild", run_wild},
	    {"vdso", run_vdso},
	    {"plt", run_plt},
	    {"lazy", run_lazy},
	    {"deep", run_deep},
	    {"overflow", run_overflow},
	    {"lost", run_lost},
	    {"code", run_code},
	    {"gone", run_gone},
	    {"jit", run_jit},
	    {"handlers", run_handlers},
	};

	if (argc < 2)
		return 2;
	if (strcmp(argv[1], "deep") == 0)
		with_room(argv);
	catch_faults(argc > 2);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strcmp(argv[1], all[i].name) == 0)
			sink += all[i].run();
	return (int)sink;
}

/* SPDX-License-Identifier: MIT */
/*
 * Data right below the stack pointer's room, which nobody may write to.
 *
 *	below heap       a thread as a runtime makes them that has its stacks
 *	                 and what the thread pointer leads to in one heap
 *	below coroutine  the first thread on a stack right below its block
 *	below alternate  in a handler whose stack is an array of main's
 *
 * Answers each line with "whole" or "torn".
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DATA = 48 * 1024, STACK = 4096, REGION = 64 * 1024, ROUND = 64 };

static volatile unsigned char *data;
static unsigned char other[DATA + STACK] __attribute__((aligned(16)));

/* None of libc's, which may need more of a stack, and its block. */
static long
call(long number, long a, const volatile void *b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static _Noreturn void
answer(void)
{
	char c;

	(void)call(SYS_write, 1, "ready\n", 6);
	while (call(SYS_read, 0, &c, 1) == 1) {
		long good = 0;

		while (good < DATA && data[good] == 0xa5)
			good++;
		if (good == DATA)
			(void)call(SYS_write, 1, "whole\n", 6);
		else
			(void)call(SYS_write, 1, "torn\n", 5);
	}
	(void)call(SYS_exit_group, 0, NULL, 0);
	__builtin_unreachable();
}

static _Noreturn void
rest(void)
{
	for (;;)
		(void)call(SYS_pause, 0, NULL, 0);
}

static _Noreturn void
run_on(unsigned char *top, void (*function)(void))
{
	__asm__ volatile("mov %0, %%rsp\n\tpush $0\n\tjmp *%1"
			 :
			 : "r"(top), "r"(function)
			 : "memory");
	__builtin_unreachable();
}

static int
thread(void *unused)
{
	(void)unused;
	answer();
}

/* The thread pointer's target lies above, and is no block of a library. */
static void
heap(void)
{
	unsigned char *region = mmap(NULL, REGION, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	data = memset(region, 0xa5, DATA);
	if (clone(thread, region + DATA + STACK,
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		    CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS,
		NULL, NULL, region + DATA + STACK + ROUND, NULL) < 0)
		return;
	run_on(other + sizeof(other), rest);
}

/* The mapping that the block is in; 0: it was not found. */
static uintptr_t
mapping_of(uintptr_t block)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	uintptr_t found = 0;

	while (f != NULL && found == 0 &&
	    fscanf(f, "%lx-%lx%*[^\n]", &start, &end) == 2)
		if (block >= start && block < end)
			found = start;
	if (f != NULL)
		fclose(f);
	return found;
}

static void
coroutine(void)
{
	uintptr_t block = 0, start;
	unsigned char *region;

	(void)syscall(SYS_arch_prctl, ARCH_GET_FS, &block);
	start = mapping_of(block);
	region = mmap((void *)(start - REGION), REGION, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (region == MAP_FAILED || mapping_of(block) != start - REGION) {
		puts("no room");
		return;
	}
	data = memset(region, 0xa5, DATA);
	run_on(region + DATA + STACK, answer);
}

static void
handler(int number)
{
	(void)number;
	answer();
}

__attribute__((noinline)) static void
interrupted(void)
{
	unsigned char local[DATA];

	data = memset(local, 0xa5, sizeof(local));
	(void)call(SYS_kill, getpid(), (void *)SIGUSR1, 0);
}

static void
alternate(void)
{
	unsigned char own[STACK]; /* as small as may be */
	const stack_t stack = {.ss_sp = own, .ss_size = sizeof(own)};
	const struct sigaction action = {
	    .sa_handler = handler, .sa_flags = SA_ONSTACK};

	(void)sigaltstack(&stack, NULL);
	(void)sigaction(SIGUSR1, &action, NULL);
	interrupted();
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "heap") == 0)
		heap();
	else if (strcmp(what, "coroutine") == 0)
		coroutine();
	else
		alternate();
	return 1;
}

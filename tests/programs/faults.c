/* SPDX-License-Identifier: MIT */
/*
 * One way to die per argument, for tests/tools/fault.py, which knows the
 * address, the direction and the class of each.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct object {
	char pad[64];
	long field;
	long (*call)(void);
};

static void *volatile nothing;
static volatile long sink;

__attribute__((noinline)) static void
load(const struct object *o)
{
	sink = o->field;
}

__attribute__((noinline)) static void
store(struct object *o)
{
	o->field = 7;
}

__attribute__((noinline)) static void
update(struct object *o)
{
	__asm__ volatile("addq $7, %0" : "+m"(o->field));
}

__attribute__((noinline)) static void
indexed(const long *array, unsigned long i)
{
	long value;

	/* The compilers may add base and index first without optimisation. */
	__asm__ volatile("movq (%1,%2,8), %0"
			 : "=r"(value)
			 : "r"(array), "r"(i)
			 : "memory");
	sink = value;
}

__attribute__((noinline)) static void
call(struct object *o)
{
	sink = o->call();
}

__attribute__((noinline)) static void
call_direct(long (*function)(void))
{
	sink = function();
}

static void
copy_in(void)
{
	char here[64];
	void *to = here;
	const void *from = nothing;
	size_t n = sizeof(here);

	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(n)
			 :
			 : "memory");
}

static void
aligned_load(const void *from)
{
	__asm__ volatile("movaps (%0), %%xmm0" : : "r"(from) : "xmm0");
}

static void
exchange(void *where)
{
	__asm__ volatile("lock cmpxchgl %%ecx, (%0)"
			 :
			 : "r"(where)
			 : "rax", "memory");
}

__attribute__((noinline)) static int
recurse(int n)
{
	volatile char frame[400];

	frame[n % 400] = (char)n;
	return recurse(n + 1) + frame[0];
}

__attribute__((noinline)) static void
smash(void)
{
	volatile uint64_t *slot = __builtin_frame_address(0);

	slot[1] = 0x4242424242424242; /* our return address */
}

static void
die(const char *how)
{
	static const char text[] = "constant";
	void *page = mmap(
	    NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (strcmp(how, "null-read") == 0)
		load(nothing);
	else if (strcmp(how, "null-write") == 0)
		store(nothing);
	else if (strcmp(how, "null-update") == 0)
		update(nothing);
	else if (strcmp(how, "null-index") == 0)
		indexed(nothing, 1000000);
	else if (strcmp(how, "null-call") == 0)
		call_direct((long (*)(void))nothing);
	else if (strcmp(how, "null-table") == 0)
		call(nothing);
	else if (strcmp(how, "null-copy") == 0)
		copy_in();
	else if (strcmp(how, "null-cmpxchg") == 0)
		exchange(nothing);
	else if (strcmp(how, "wild-read") == 0)
		load((void *)0x123456789000);
	else if (strcmp(how, "noncanonical-read") == 0)
		load((void *)0x4141414141414141);
	else if (strcmp(how, "noncanonical-write") == 0)
		store((void *)0x8000123412341230);
	else if (strcmp(how, "noncanonical-call") == 0)
		call_direct((long (*)(void))0x4242424242424242);
	else if (strcmp(how, "wild-call") == 0)
		call_direct((long (*)(void))0x133713371000);
	else if (strcmp(how, "data-call") == 0)
		call_direct((long (*)(void))(uintptr_t)text);
	else if (strcmp(how, "smashed-return") == 0)
		smash();
	else if (strcmp(how, "readonly-write") == 0)
		*(volatile char *)(uintptr_t)text = 'C';
	else if (strcmp(how, "protected-read") == 0)
		sink = *(volatile char *)page;
	else if (strcmp(how, "misaligned") == 0)
		aligned_load((char *)&sink + 1);
	else if (strcmp(how, "privileged") == 0)
		__asm__ volatile("hlt");
	else if (strcmp(how, "recursion") == 0)
		sink = recurse(0);
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "raise") == 0)
		raise(SIGSEGV);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		die(argv[1]);
	return 0;
}

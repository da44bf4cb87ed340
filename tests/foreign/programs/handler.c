/* SPDX-License-Identifier: MIT */
/* A signal handler that dies itself, without a C library. */
struct action {
	void (*handler)(int);
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static volatile int sink;

static long
call4(long number, long a, long b, long c, long d)
{
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x8 __asm__("x8") = number;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x8)
			 : "memory");
	return x0;
}

__attribute__((noinline)) static void
handler(int number)
{
	int *none = (int *)0x28;

	*none = number;
}

__attribute__((noinline)) static int
touch(int *p)
{
	return *p + sink;
}

int
start(void)
{
	struct action a = {.handler = handler};
	int *bad = (int *)0x10;

	(void)call4(134, 11, (long)&a, 0, 8); /* rt_sigaction, SIGSEGV */
	sink = 3;
	return touch(bad);
}

__asm__(".globl _start\n"
	".type _start, %function\n"
	"_start:\n"
	".cfi_startproc\n"
	".cfi_undefined x30\n"
	"	mov	x29, #0\n"
	"	bl	start\n"
	"	mov	x8, #93\n"
	"	svc	#0\n"
	".cfi_endproc\n"
	".size _start, . - _start\n");

// SPDX-License-Identifier: MIT
// A caller whose variables are in registers that its callee need not keep, and
// callees that leave them alone or do not. The argument chooses one of them.
#include <cstdlib>
#include <cstring>
#define NOINLINE __attribute__((noinline))

// What no compiler knows.
static const int *volatile where = (const int *)16;
static volatile long many = 42;

NOINLINE static void
thrower(long n)
{
	if (n > 2)
		throw n;
}

__attribute__((noinline, noreturn)) static void
surely(long n)
{
	throw n;
}

// No parameter is touched before the fault.
NOINLINE static int
leaf(const int *p, long n)
{
	return *p + (int)n;
}

// The way to the fault leads over an exception, which no jump shows.
NOINLINE static int
caught(const int *p, long n)
{
	if (n != 0) {
		try {
			surely(n);
		} catch (long) {
		}
	}
	return *(const volatile int *)p;
}

// The same in a function that is left again, and by that way only.
NOINLINE static void
through(long n)
{
	try {
		surely(n);
	} catch (long) {
	}
}

NOINLINE static int
after(const int *p, long n)
{
	if (n != 0)
		through(n);
	return *(const volatile int *)p;
}

// All of them are used by others before.
NOINLINE static int
called(const int *p, long n)
{
	thrower(n - 40);
	return *(const volatile int *)p;
}

NOINLINE static int
caller(const int *p, long n, int which)
{
	if (which == 0)
		return leaf(p, n) + 1;
	if (which == 1)
		return caught(p, n) + 1;
	if (which == 3)
		return (int)strlen((const char *)p) + 1;
	if (which == 4)
		return after(p, n) + 1;
	return called(p, n) + 1;
}

int
main(int argc, char **argv)
{
	return caller(where, many, argc > 1 ? atoi(argv[1]) : 0);
}

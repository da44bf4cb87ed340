/* SPDX-License-Identifier: MIT */
/*
 * Functions without call frame information, with a frame pointer (-DFP) and
 * without: compiled with -fno-asynchronous-unwind-tables.
 */
static volatile long sink;

#ifdef FP
#define NAME(x) x##_fp
#else
#define NAME(x) x##_nofp
#endif

long NAME(nocfi)(void (*f)(void), long n);

__attribute__((noinline)) static long
NAME(inner)(void (*f)(void), long n)
{

	f();
	return n + 1 + sink;
}

long
NAME(nocfi)(void (*f)(void), long n)
{
	long r = NAME(inner)(f, n * 3);

	sink += r;
	return r;
}

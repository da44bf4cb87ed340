/* SPDX-License-Identifier: MIT */
/*
 * Functions without call frame information; built twice, with NAME set, once
 * with a frame pointer and once without.
 */
#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NI __attribute__((noinline))

static volatile long sink;

NI static long
JOIN(NAME, inner)(void (*f)(void), long n)
{
	f();
	sink += n;
	return n + 1;
}

NI static long
JOIN(NAME, middle)(void (*f)(void), long n)
{
	volatile char room[40];

	room[n & 7] = (char)n;
	sink += JOIN(NAME, inner)(f, n * 3) + room[n & 7];
	return sink;
}

long
JOIN(NAME, outer)(void (*f)(void), long n)
{
	long r = JOIN(NAME, middle)(f, n + 2);

	sink += r;
	return r;
}

#ifdef CYCLE
/* The saved frame pointer of the innermost points to itself. */
NI static long
JOIN(NAME, bent)(void (*f)(void), long n)
{
	void *volatile *fp = __builtin_frame_address(0);

	fp[0] = (void *)fp;
	f();
	sink += n;
	return n;
}

NI static long
JOIN(NAME, before)(void (*f)(void), long n)
{
	long r = JOIN(NAME, bent)(f, n + 1);

	sink += r;
	return r;
}

long
JOIN(NAME, cycle)(void (*f)(void), long n)
{
	long r = JOIN(NAME, before)(f, n + 1);

	sink += r;
	return r;
}
#endif

/* SPDX-License-Identifier: MIT */
/* What the comparison with GDB is made over: scopes, types, inlines of C. */
#include <complex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node;
typedef struct node node_t;
struct node {
	int v;
	node_t *next;
	unsigned a : 3, b : 5;
	const char *name;
	int arr[2][3];
	union {
		int i;
		float f;
	};
	int (*cb)(struct node *, const char *const *, ...);
};
enum color { RED, GREEN = 5, BLUE };
typedef int (*fn_t)(int, void *);
typedef float v4 __attribute__((vector_size(16)));
static int counter;
extern int ext_var;
int ext_var = 3;
static inline int
sq(int x)
{
	int y = x * x;
	{
		static int calls;
		calls++;
		int z = y + calls;
		y = z;
	}
	return y;
}
static inline int
cube(int x)
{
	int t = sq(x);
	return t * x;
}
__attribute__((noinline)) int
vla(int n, char **argv)
{
	int a[n];
	char m[n][n + 1];
	memset(a, 0, sizeof a);
	memset(m, 0, sizeof m);
	for (int i = 0; i < n; i++) {
		int k = cube(i);
		a[i] = k + m[i][0];
	}
	extern int ext_var;
	return a[n - 1] + ext_var;
}
__attribute__((noinline)) double
mix(
    volatile const char *p, int *const q, void (**fp)(void),
    const struct node *restrict nd, enum color c, _Bool b, long double ld,
    double complex z, v4 v, __int128 big, unsigned char uc, unsigned long ul,
    signed char sc, int (*pa)[4], fn_t f, struct { int x; } * anon)
{
	const int k = 7;
	double r = *q + k + (int)c + b + (double)ld + creal(z) + v[0] +
	    (double)big + uc + ul + sc + (*pa)[1];
	(void)p;
	(void)fp;
	(void)nd;
	(void)anon;
	if (f)
		r += f(1, NULL);
	return r;
}
__attribute__((noinline)) int
va(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int x = va_arg(ap, int);
	va_end(ap);
	return x;
}
__attribute__((noinline)) int
rec(int n)
{
	int local[3] = {n, n + 1, n + 2};
	if (n == 0)
		return local[1];
	return rec(n - 1) + local[n % 3];
}
static int
cmp(const void *a, const void *b)
{
	const int *x = a, *y = b;
	return *x - *y;
}
__attribute__((noinline)) static int
isra(struct node *n, int unused)
{
	return n->v + n->next->v;
}
int
cold(int x)
{
	if (__builtin_expect(x > 100, 0)) {
		printf("cold %d\n", x);
		abort();
	}
	return x;
}
int
tail(int x)
{
	return cold(x + 1);
}
int
main(int argc, char **argv)
{
	struct node n = {.v = 1, .name = "x"}, m = {.v = 2, .next = &n};
	n.next = &m;
	int arr[5] = {3, 1, 2, 5, 4};
	qsort(arr, 5, sizeof *arr, cmp);
	for (int i = 0; i < argc; i++) {
		int i2 = i * 2;
		for (int j = 0; j < 2; j++) {
			int i3 = i2 + j;
			counter += i3;
			printf("%d\n", i3);
		}
	}
	int pa[4] = {1, 2, 3, 4};
	counter += vla(argc + 3, argv) + va("%d", 3) + rec(argc) + isra(&n, 3) +
	    tail(argc);
	double d = mix("a", &counter, NULL, &n, BLUE, 1, 2.0L, 1.0,
	    (v4){1, 2, 3, 4}, 5, 6, 7, 8, &pa, NULL, NULL);
	printf("%d %f\n", counter, d);
	switch (argc) {
	case 1: {
		char buf[32];
		snprintf(buf, sizeof buf, "%d", argc);
		puts(buf);
		break;
	}
	default: {
		long q = argc;
		printf("%ld\n", q);
	}
	}
	return 0;
}

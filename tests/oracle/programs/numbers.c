/* Every scalar type. */
#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>
__attribute__((noinline)) static double
all(signed char sc, unsigned char uc, short s, unsigned short us, int i,
    unsigned u, long l, unsigned long ul, float f, double d, bool yes)
{
	long double ld = (long double)d / 3;
	double complex z = d + 2.5 * I;
	float complex fz = f - 1.5f * I;
	__int128 wide = ((__int128)l << 64) | ul;
	unsigned __int128 uwide = ~(unsigned __int128)0;
	double nan = NAN, inf = INFINITY, minus = -INFINITY, tiny = 5e-324;
	wchar_t wc = L'w';
	uint64_t big = UINT64_MAX;
	int64_t low = INT64_MIN;
	volatile double keep = d + nan + inf + minus + tiny + (double)ld;
	volatile float keepf = f + crealf(fz) + (float)creal(z);
	volatile int stay = sc + uc + s + us + i + (int)u + yes + (int)wc +
	    (int)wide + (int)uwide + (int)big + (int)low;
	if (stay != 12345)
		abort();
	return keep + keepf;
}
int
main(int argc, char **argv)
{
	(void)argv;
	return (int)all(-1, 255, -300, 65535, -70000, 4000000000u,
	    -5000000000l, 18000000000000000000ul, 3.25f, 6.02e23 * argc, true);
}

/* Register pressure: many live values over calls, switch and goto. */
#include <stdlib.h>
volatile unsigned seed = 12345;
__attribute__((noinline)) static unsigned
next(unsigned s)
{
	if (s == 0x5f21)
		abort();
	return s * 1664525u + 1013904223u;
}
__attribute__((noinline)) static unsigned
churn(unsigned a, unsigned b, unsigned c, unsigned d)
{
	unsigned w = a ^ b, x = b ^ c, y = c ^ d, z = d ^ a, round = 0;
again:
	w += next(x);
	x += next(y);
	y += next(z);
	z += next(w);
	switch (++round) {
	case 3:
		next(0x5f21);
		break;
	case 9:
		return w ^ x ^ y ^ z;
	default:
		goto again;
	}
	return w + x + y + z + round;
}
int
main(void)
{
	unsigned s = seed;
	unsigned result = churn(s, s * 3, s * 5, s * 7);
	return (int)(result + s);
}

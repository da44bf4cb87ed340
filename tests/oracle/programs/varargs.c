/* Variadic functions and va_list. */
#include <stdarg.h>
#include <stdlib.h>
__attribute__((noinline)) static int
sum(const char *types, ...)
{
	va_list ap;
	int total = 0;
	double real = 0;
	va_start(ap, types);
	for (const char *t = types; *t; t++) {
		if (*t == 'i')
			total += va_arg(ap, int);
		else
			real += va_arg(ap, double);
	}
	va_end(ap);
	if (total > 5)
		abort();
	return total + (int)real;
}
int
main(void)
{
	int got = sum("iidi", 1, 2, 3.5, 4);
	return got;
}

// Lambdas with captures, called directly and through a template.
#include <cstdlib>
template <typename F> __attribute__((noinline)) static int
each(int n, F f)
{
	int total = 0;
	for (int i = 0; i < n; i++)
		total += f(i);
	return total;
}
int
main()
{
	int limit = 3;
	long seen = 0;
	auto check = [limit, &seen](int i) {
		long before = seen;
		seen += i;
		if (i == limit)
			abort();
		return (int)before;
	};
	return each(10, check);
}

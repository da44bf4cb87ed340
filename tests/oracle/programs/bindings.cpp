// Structured bindings to arrays, structs and tuples, by value and by reference.
#include <map>
#include <string>
#include <tuple>

struct point {
	int x;
	long y;
	unsigned kind : 3;
};

static long *volatile nowhere;

__attribute__((noinline)) static long
store(long value, const char *what)
{
	*nowhere = value;
	return what[0];
}

__attribute__((noinline)) static long
walk(const std::map<std::string, point> &points)
{
	long sum = 0;
	for (const auto &[name, where] : points) {
		const auto &[x, y, kind] = where;
		sum += x * y + kind;
		if (kind == 2)
			sum += store(sum, name.c_str());
	}
	return sum;
}

__attribute__((noinline)) static long
take(int n)
{
	int pair[2] = {n, n * 3};
	auto [first, second] = pair;
	auto &[one, other] = pair;
	one += 5;
	auto [number, letter, real] = std::tuple<int, char, double>(n, 'q', 1.5);
	std::map<std::string, point> points{
	    {"left", {1, 20, 1}}, {"right", {n, -7, 2}}};
	long sum = walk(points) + number + letter + (long)real;
	return sum + first + second + other;
}

int
main(int argc, char **)
{
	return (int)take(argc + 40);
}

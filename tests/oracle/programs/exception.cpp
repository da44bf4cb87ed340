// An exception nobody catches, thrown below a try that does not fit.
#include <stdexcept>
#include <string>
struct Guard { int depth; ~Guard() { depth = 0; } };
__attribute__((noinline)) static int
parse(int depth, const char *text)
{
	Guard guard{depth};
	if (depth == 0)
		throw std::runtime_error(text);
	return parse(depth - 1, text) + guard.depth;
}
int
main()
{
	int tries = 0;
	try {
		tries = parse(4, "bad input");
	} catch (const std::bad_alloc &) {
		tries = -1;
	}
	return tries;
}

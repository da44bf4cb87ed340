// Namespaces, anonymous ones, nested classes, overloads.
#include <cstdlib>
namespace outer {
namespace inner {
struct Thing { struct Part { int size; } part; int weight; };
__attribute__((noinline)) int
handle(const Thing::Part &part)
{
	int doubled = part.size * 2;
	if (doubled == 14)
		abort();
	return doubled;
}
__attribute__((noinline)) int
handle(const Thing &thing, int extra)
{
	int from_part = handle(thing.part);
	return from_part + extra + thing.weight;
}
}
}
namespace {
struct Local { outer::inner::Thing thing; };
__attribute__((noinline)) int
start(Local local)
{
	using namespace outer::inner;
	return handle(local.thing, 3);
}
}
int
main()
{
	Local local = {{{7}, 20}};
	return start(local);
}

/* Our function called back from the C library. */
#include <stdlib.h>
struct item { int weight; const char *name; };
static int calls;
static int
compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = x->weight - y->weight;
	if (++calls == 5)
		abort();
	return order;
}
int
main(void)
{
	struct item items[] = {{5, "five"}, {3, "three"}, {9, "nine"},
	    {1, "one"}, {7, "seven"}, {2, "two"}};
	size_t count = sizeof(items) / sizeof(items[0]);
	qsort(items, count, sizeof(items[0]), compare);
	return items[0].weight;
}

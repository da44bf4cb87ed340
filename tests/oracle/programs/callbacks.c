/* Function pointers in structs, arrays and parameters. */
#include <stdlib.h>
typedef int (*op_t)(int, int);
static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int boom(int a, int b) { if (a != b) abort(); return a; }
struct entry { const char *name; op_t fn; void (*done)(void); };
__attribute__((noinline)) static int
apply(const struct entry *e, op_t fallback, int a, int b)
{
	op_t chosen = e->fn ? e->fn : fallback;
	int result = chosen(a, b);
	return result * 2;
}
int
main(void)
{
	struct entry table[3] = {{"add", add, 0}, {"sub", sub, 0},
	    {"boom", 0, 0}};
	int total = 0;
	for (unsigned i = 0; i < 3; i++)
		total += apply(&table[i], boom, (int)i + 10, 3);
	return total;
}

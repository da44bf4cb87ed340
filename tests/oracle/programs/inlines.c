/* Three levels of inlining with parameters and locals of their own. */
#include <stddef.h>
struct table { int *cells; size_t rows, columns; };
static inline __attribute__((always_inline)) int *
cell(const struct table *t, size_t row, size_t column)
{
	size_t at = row * t->columns + column;
	return &t->cells[at];
}
static inline __attribute__((always_inline)) void
put(struct table *t, size_t row, int value)
{
	for (size_t column = 0; column < t->columns; column++) {
		int shade = value + (int)column;
		*cell(t, row, column) = shade;
	}
}
static inline __attribute__((always_inline)) void
fill(struct table *t, int seed)
{
	for (size_t row = 0; row < t->rows; row++)
		put(t, row, seed * 2);
}
__attribute__((noinline)) static int
build(struct table *t, int seed)
{
	fill(t, seed);
	return t->cells[0];
}
int
main(int argc, char **argv)
{
	struct table t = {argc > 90 ? (int *)argv : NULL, 3, 4};
	return build(&t, argc + 20);
}

/* Linear equations by elimination: matrices of double, float and long double
 * on the stack, rows by pointer; the row that is swapped in is not there. */
#include <math.h>
#include <stddef.h>

#define N 4

struct system {
	double a[N][N], b[N], x[N];
	double *row[N];
	long double determinant;
	float tolerance;
	int swaps;
};

struct progress { int column; double pivot; size_t operations; };

static volatile double sink;

__attribute__((noinline)) static double
scale(const double *from, double *to, double factor, int first, size_t *count)
{
	double sum = 0;
	for (int i = first; i < N; i++) {
		to[i] -= factor * from[i];
		sum += fabs(to[i]);
		++*count;
	}
	sink = sum;
	return sum;
}

__attribute__((noinline)) static int
pivot_of(const struct system *s, int column, double *best)
{
	int at = column;
	*best = fabs(s->row[column][column]);
	for (int i = column + 1; i < N; i++) {
		double candidate = fabs(s->row[i][column]);
		if (candidate > *best) {
			*best = candidate;
			at = i;
		}
	}
	return *best > (double)s->tolerance ? at : -1;
}

__attribute__((noinline)) static double
eliminate(struct system *s, int column, struct progress *progress)
{
	double *top = s->row[column], left = 0;
	for (int i = column + 1; i < N; i++) {
		double factor = s->row[i][column] / top[column];
		double rest = scale(top, s->row[i], factor, column,
		                    &progress->operations);
		s->b[i] -= factor * s->b[column];
		left += rest;
		if (column == 1 && i == 2)
			s->row[3] = NULL;
	}
	return left;
}

__attribute__((noinline)) static int
solve(struct system *s)
{
	struct progress progress = {0};
	long double product = 1.0L;
	for (int column = 0; column < N; column++) {
		double best = 0, left;
		int at = pivot_of(s, column, &best);
		if (at < 0)
			return -column;
		if (at != column) {
			double *other = s->row[at];
			s->row[at] = s->row[column];
			s->row[column] = other;
			s->swaps++;
		}
		progress.column = column;
		progress.pivot = best;
		product *= best;
		left = eliminate(s, column, &progress);
		sink = left + best + at;
	}
	s->determinant = product;
	return (int)progress.operations;
}

__attribute__((noinline)) static int
run(double seed, int times)
{
	struct system system = {.tolerance = 1e-6f};
	double trace = 0;
	int steps = 0;
	for (int i = 0; i < N; i++) {
		system.row[i] = system.a[i];
		system.b[i] = seed * i;
		for (int j = 0; j < N; j++)
			system.a[i][j] = i == j ? seed + i : 1.0 / (1 + i + j);
		trace += system.a[i][i];
	}
	while (times-- > 0)
		steps += solve(&system);
	sink = trace;
	return steps + system.swaps;
}

int
main(void)
{
	double seed = 3.5 + sink;
	int steps = run(seed, 2);
	sink = seed;
	return steps;
}

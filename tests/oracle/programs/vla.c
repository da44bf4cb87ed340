/* Variable length arrays and alloca. */
#include <stdlib.h>
#include <alloca.h>
__attribute__((noinline)) static int
spread(int n, int m)
{
	int flat[n];
	short grid[n][m];
	char *raw = alloca((size_t)n);
	for (int i = 0; i < n; i++) {
		flat[i] = i * i;
		raw[i] = (char)(i + 65);
		for (int j = 0; j < m; j++)
			grid[i][j] = (short)(i * 10 + j);
	}
	if (flat[n - 1] > 3)
		abort();
	return flat[0] + grid[0][0] + raw[0];
}
int
main(int argc, char **argv)
{
	(void)argv;
	return spread(argc + 4, 3);
}

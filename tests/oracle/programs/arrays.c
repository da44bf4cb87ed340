/* Strings and arrays of every shape. */
#include <stdlib.h>
#include <string.h>
struct row { char id[4]; int values[2][3]; };
__attribute__((noinline)) static int
look(struct row *rows, int n, const char *names[], char buffer[32])
{
	int matrix[2][3] = {{1, 2, 3}, {4, 5, 6}};
	char full[4] = {'a', 'b', 'c', 'd'};
	char binary[6] = {1, 2, (char)0xff, 0, 'x', 0};
	unsigned char bytes[5] = {0, 255, 7, 8, 9};
	struct row local[2];
	double reals[3] = {0.5, -0.25, 1e10};
	int big[100];
	char *pointers[3] = {buffer, full, 0};
	memcpy(local, rows, sizeof(local));
	for (int i = 0; i < 100; i++)
		big[i] = i * n;
	strcpy(buffer, names[1]);
	if (matrix[1][2] == 6 && bytes[1] && reals[0] > 0 && big[7] &&
	    pointers[0] && full[1] && binary[0])
		abort();
	return local[0].values[0][0];
}
int
main(void)
{
	struct row rows[2] = {{"r0", {{1, 2, 3}, {4, 5, 6}}},
	    {"r1", {{7, 8, 9}, {10, 11, 12}}}};
	const char *names[3] = {"zero", "one of them", 0};
	char buffer[32];
	return look(rows, 2, names, buffer);
}

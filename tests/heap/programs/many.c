/* SPDX-License-Identifier: MIT */
/*
 * Many blocks: many BLOCKS BYTES; every eighth is freed again, then the process
 * aborts. 10000000 200 makes two gigabytes of them.
 */
#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
	size_t n, bytes;
	char **all;

	if (argc != 3)
		return 2;
	n = strtoull(argv[1], NULL, 10);
	bytes = strtoull(argv[2], NULL, 10);
	all = calloc(n, sizeof(*all));
	for (size_t i = 0; all != NULL && i < n; i++) {
		all[i] = malloc(bytes - i % 16);
		if (all[i] == NULL)
			return 2;
		memset(all[i], (int)i, 16);
	}
	for (size_t i = 0; all != NULL && i < n; i += 8) {
		free(all[i]);
		all[i] = NULL;
	}
	abort();
}

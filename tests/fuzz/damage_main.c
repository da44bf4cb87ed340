/* SPDX-License-Identifier: MIT */
/*
 * damage_core SEED IN OUT: a damaged copy of a core, the same for the same
 * seed. Prints the kinds of damage that were done.
 */
#include "damage.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t *
read_all(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long length;

	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (length = ftell(f)) > 0 &&
	    fseek(f, 0, SEEK_SET) == 0 &&
	    (data = malloc((size_t)length)) != NULL) {
		*size = fread(data, 1, (size_t)length, f);
	}
	(void)fclose(f);
	return data;
}

int
main(int argc, char **argv)
{
	uint32_t kinds = 0;
	uint64_t state;
	uint8_t *data;
	size_t size;
	FILE *f;

	if (argc != 4 || (data = read_all(argv[2], &size)) == NULL) {
		(void)fputs("usage: damage_core SEED IN OUT\n", stderr);
		return 1;
	}
	state = strtoull(argv[1], NULL, 0);
	size = damage_core_random(data, size, &state, &kinds);
	f = fopen(argv[3], "wb");
	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
		perror(argv[3]);
		return 1;
	}
	for (int i = 0; i < DAMAGE__COUNT; i++)
		if (kinds >> i & 1)
			(void)printf("%s ", damage_name((enum damage_kind)i));
	(void)putchar('\n');
	free(data);
	return 0;
}

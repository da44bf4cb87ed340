/* SPDX-License-Identifier: MIT */
/*
 * damage_core SEED IN OUT: a damaged copy of a core, the same for the same
 * seed. Prints the kinds of damage that were done.
 */
#include "damage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Cores are mostly zeros, which need not be written. */
static bool
write_all(const char *path, const uint8_t *data, size_t size)
{
	static const uint8_t zeros[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && ftruncate(fd, (off_t)size) == 0;

	for (size_t at = 0; ok && at < size; at += sizeof(zeros)) {
		size_t n = size - at < sizeof(zeros) ? size - at
						     : sizeof(zeros);

		if (memcmp(data + at, zeros, n) != 0)
			ok = pwrite(fd, data + at, n, (off_t)at) == (ssize_t)n;
	}
	return fd >= 0 && close(fd) == 0 && ok;
}

int
main(int argc, char **argv)
{
	uint32_t kinds = 0;
	uint64_t state;
	uint8_t *data;
	size_t size;

	if (argc != 4 || (data = read_all(argv[2], &size)) == NULL) {
		(void)fputs("usage: damage_core SEED IN OUT\n", stderr);
		return 1;
	}
	state = strtoull(argv[1], NULL, 0);
	size = damage_core_random(data, size, &state, &kinds);
	if (!write_all(argv[3], data, size)) {
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

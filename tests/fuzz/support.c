/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int
fuzz_file(const void *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < size) {
		ssize_t n = write(fd, (const char *)data + done, size - done);

		if (n <= 0) {
			(void)close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	return fd;
}

const char *
fuzz_path(int fd, char *out)
{
	(void)snprintf(out, FUZZ_PATH_SIZE, "/proc/self/fd/%d", fd);
	return out;
}

static char empty_dir[] = "/tmp/inquest-fuzz.XXXXXX";

static void
remove_empty_dir(void)
{
	(void)rmdir(empty_dir);
}

const char *
fuzz_empty_dir(void)
{
	static bool made;

	if (made)
		return empty_dir;
	if (mkdtemp(empty_dir) == NULL)
		abort();
	made = true;
	(void)atexit(remove_empty_dir);
	return empty_dir;
}

static volatile unsigned used;

void
fuzz_use(const void *data, size_t size)
{
	const uint8_t *p = data;
	unsigned sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += p[i];
	/* A branch on it, for tools that notice unset bytes there. */
	if (sum != 0)
		used += sum;
}

void
fuzz_use_text(const char *text)
{
	if (text != NULL)
		fuzz_use(text, strlen(text));
}

void
fuzz_split(struct view all, struct view *a, struct view *b)
{
	size_t at = view_u16(&all);

	if (at > view_left(&all))
		at = view_left(&all);
	*a = view_sub(&all, all.pos, at);
	*b = view_from(&all, all.pos + at);
}

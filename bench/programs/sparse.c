/* SPDX-License-Identifier: MIT */
/*
 * A process with much memory of which little was ever touched, so that its core
 * is long and has few bytes: sparse GIB. Aborts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, TOUCHED = 256 };

int
main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) << 30 : 0;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	/* A page here and there; else the kernel would leave all of it out. */
	for (size_t i = 0; i < TOUCHED; i++)
		p[size / TOUCHED / PAGE * PAGE * i] = 1;
	abort();
}

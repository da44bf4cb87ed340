/* SPDX-License-Identifier: MIT */
/*
 @id f34
 @cls heap-overflow
 @flags -O0 -g
 @mode core
 @says wide text
 Text of wide characters.
*/
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

__attribute__((noinline)) static void
wide(wchar_t *d, const wchar_t *s)
{
	wcscpy(d, s);
}
int
main()
{
	wchar_t *a = malloc(20 * sizeof(char) + 4), *b = malloc(24);
	wide(a, L"twenty characters");
	free(b);
	return 0;
}

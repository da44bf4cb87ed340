/* SPDX-License-Identifier: MIT */
/*
 @id f16
 @cls heap-overflow
 @dir none
 @flags -O0 -g
 @mode core
 @also too small for what r .* r->sum lies at offset 56
 @says written past its end
*/
#include <stdlib.h>
#include <string.h>
/* Allocated as an older version of the structure, filled as a newer one. */
struct old { long key[7]; };
struct record { long key[7], sum, more[4]; };
__attribute__((noinline)) static void fill(struct record *r) { memset(r, 0x6b, sizeof *r); }
int main(void)
{
	struct record *r = malloc(sizeof(struct old));
	char *next = malloc(900), *last = malloc(24);
	fill(r);
	free(next);
	return last[0];
}

/* SPDX-License-Identifier: MIT */
/* A deep stack, each frame of which has what no compression makes smaller:
 * deep FRAMES. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NI __attribute__((noinline))

static volatile long sink;

NI static void
dive(long left, uint64_t seed)
{
	struct {
		uint64_t words[6];
	} noise;

	for (int i = 0; i < 6; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		noise.words[i] = seed;
	}
	if (left == 0)
		abort();
	dive(left - 1, seed);
	sink += (long)noise.words[left % 6];
}

int
main(int argc, char **argv)
{
	dive(argc > 1 ? atol(argv[1]) : 1, 88172645463325252);
	return 0;
}

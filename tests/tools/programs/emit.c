/* SPDX-License-Identifier: MIT */
/*
 * What a program does that reports an error through libbcd: the message lies
 * in a volatile local of bcd_emit. And globals to ask for by name.
 */
#include <stdlib.h>

struct table {
	int size;
	const char *label;
};

struct table lookup = {7, "seven"};
static int hidden = 42;
__thread int per_thread = 9;

__attribute__((noinline)) static void
bcd_emit(const char *message)
{
	const char *volatile bcd_MAGICAL_UNICORNS_message = message;

	(void)bcd_MAGICAL_UNICORNS_message;
	if (hidden == 42 && per_thread == 9)
		abort();
}

int
main(void)
{
	bcd_emit("disk of shard 7 is gone");
	return lookup.size;
}

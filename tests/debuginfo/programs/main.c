/* SPDX-License-Identifier: MIT */
#include "parts.h"
#include <string.h>

static struct part parts[3];

static __attribute__((noinline)) void
fill(struct part *all, int count)
{
	static const char *const names[] = {"bolt", "nut", "washer"};

	for (int i = 0; i < count; i++) {
		all[i].name = names[i];
		all[i].at.x = i + 2;
		all[i].at.y = 10 - i;
		all[i].colour = (enum colour)(1 << i);
		all[i].flag = (unsigned)i;
		all[i].level = -i;
		all[i].word.number = 0x01020304u * (unsigned)(i + 1);
		all[i].weights[1] = i / 4.0;
		all[i].next = i + 1 < count ? &all[i + 1] : 0;
	}
}

static __attribute__((noinline)) int
run(const char *title, int limit)
{
	struct ledger *ledger = ledger_open(77, parts);
	char copy[16];
	int result = 0;

	strncpy(copy, title, sizeof(copy) - 1);
	copy[15] = '\0';
	result = ledger_audit(ledger, parts, limit);
	return result + copy[0];
}

int
main(int argc, char **argv)
{
	int limit = argc + 9;

	(void)argv;
	fill(parts, 3);
	return run("stock taking", limit) == 0;
}

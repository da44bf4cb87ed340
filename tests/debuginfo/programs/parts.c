/* SPDX-License-Identifier: MIT */
#include "parts.h"

struct ledger {
	int serial;
	struct part *head;
	char tag[8];
	int (*check)(struct ledger *, struct part *, int);
	unsigned long long counts[4];
};

static struct ledger the_ledger;
int parts_total = 40;
volatile int *nowhere;

static __attribute__((noinline)) int
ledger_fail(struct ledger *ledger, struct part *part, int score)
{
	static int failures = 3;
	int where[3] = {score, score + 1, score + 2};
	struct point corner = {part->at.x - 1, part->at.y - 1};

	failures++;
	{
		unsigned inner = (unsigned)corner.x + 7;

		ledger->counts[1] = inner;
		*nowhere = where[part->at.x & 1] + corner.y; /* crashes */
	}
	return where[2];
}

struct ledger *
ledger_open(int serial, struct part *head)
{
	the_ledger.serial = serial;
	the_ledger.head = head;
	the_ledger.tag[0] = 'L';
	the_ledger.tag[1] = 'G';
	the_ledger.check = ledger_fail;
	the_ledger.counts[0] = 1ULL << 40;
	return &the_ledger;
}

__attribute__((noinline)) int
ledger_audit(struct ledger *ledger, struct part *from, int limit)
{
	int total = 0;

	for (struct part *part = from; part != 0; part = part->next) {
		int score = part_score(part, limit);

		total += score;
		if (total > limit * 3)
			total += ledger->check(ledger, part, score);
	}
	return total + ledger->serial;
}

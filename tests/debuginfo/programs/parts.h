/* SPDX-License-Identifier: MIT */
/*
 * A small C program in two units, with what debug information has to tell
 * across units: a structure that one of them only declares, an inlined
 * function, an array of structures, bit-fields, unions, enumerations.
 */
#ifndef PARTS_H
#define PARTS_H

struct ledger; /* defined in parts.c only */

enum colour { RED = 1, GREEN = 2, BLUE = 4 };

union word {
	unsigned number;
	unsigned char bytes[4];
};

struct point {
	int x, y;
};

struct part {
	const char *name;
	struct point at;
	enum colour colour;
	unsigned flag : 3;
	int level : 5;
	union word word;
	double weights[3];
	struct part *next;
};

extern int parts_total;

struct ledger *ledger_open(int serial, struct part *head);
int ledger_audit(struct ledger *ledger, struct part *from, int limit);

static inline __attribute__((always_inline)) int
part_score(const struct part *part, int bonus)
{
	int score = part->at.x * part->at.y + bonus;

	if (score > parts_total)
		score -= part->level;
	return score;
}

#endif

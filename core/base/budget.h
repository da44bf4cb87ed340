/* SPDX-License-Identifier: MIT */
/*
 * Budgets for loops over foreign data: a number of steps and, optionally, a
 * point in time (CLOCK_MONOTONIC). Exceeding one is a warning of the caller,
 * never an endless loop. The clock is read only every few thousand steps.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include "base/error.h"

struct budget {
	uint64_t steps;	      /* left */
	uint64_t deadline_ns; /* 0: none */
	uint32_t until_clock;
	bool spent;
};

uint64_t bt_now_ns(void); /* CLOCK_MONOTONIC */

/* timeout_ns 0: no deadline. */
void budget_init(struct budget *b, uint64_t steps, uint64_t timeout_ns);
bool budget_check_clock(struct budget *b);

/* Takes one step; false once the budget is spent (and ever after). */
static inline bool
budget_step(struct budget *b)
{
	if (b->spent || b->steps == 0) {
		b->spent = true;
		return false;
	}
	b->steps--;
	if (b->deadline_ns != 0 && b->until_clock-- == 0)
		return budget_check_clock(b);
	return true;
}

#endif /* BASE_BUDGET_H */

/* SPDX-License-Identifier: MIT */
/*
 * Budgets: a count of steps and a deadline. See budget.h.
 */
#include "base/budget.h"

#include <time.h>

/* Reading the clock costs about 25 ns, a step a few: one in 2,048 keeps it
 * below a percent. */
#define STEPS_PER_CLOCK 2048

uint64_t
bt_now_ns(void)
{
	struct timespec now;

	/* CLOCK_MONOTONIC always exists and the pointer is good. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) +
	    (uint64_t)now.tv_nsec;
}

void
budget_init(struct budget *b, uint64_t steps, uint64_t timeout_ns)
{
	*b = (struct budget){.steps = steps, .until_clock = STEPS_PER_CLOCK};
	if (timeout_ns == 0)
		return;
	if (__builtin_add_overflow(bt_now_ns(), timeout_ns, &b->deadline_ns))
		b->deadline_ns = UINT64_MAX;
}

bool
budget_check_clock(struct budget *b)
{
	b->until_clock = STEPS_PER_CLOCK;
	if (b->deadline_ns != 0 && bt_now_ns() >= b->deadline_ns)
		b->spent = true;
	return !b->spent;
}

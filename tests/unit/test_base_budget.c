/* SPDX-License-Identifier: MIT */
/*
 * Budgets: steps run out exactly, deadlines are noticed, and a spent budget
 * stays spent.
 */
#include "base/budget.h"

#include "harness/test.h"

TEST(steps_run_out_exactly)
{
	struct budget b;

	budget_init(&b, 3, 0);
	for (int i = 0; i < 3; i++)
		expect_true(budget_step(&b));
	expect_false(b.spent);
	expect_false(budget_step(&b));
	expect_true(b.spent);
	b.steps = 100;
	expect_false(budget_step(&b));
}

TEST(no_steps_at_all)
{
	struct budget b;

	budget_init(&b, 0, 0);
	expect_false(budget_step(&b));
}

TEST(deadline_ends_a_loop)
{
	uint64_t start = bt_now_ns(), taken = 0;
	struct budget b;

	budget_init(&b, UINT64_MAX, 20 * 1000 * 1000);
	while (budget_step(&b))
		taken++;
	expect_true(bt_now_ns() - start >= 20 * 1000 * 1000);
	expect_true(taken > 0);
	expect_true(b.steps > 0);
	expect_false(budget_step(&b));
}

TEST(deadline_is_read_now_and_then)
{
	struct budget b;
	int taken = 0;

	budget_init(&b, 1000000, 1);
	while (budget_step(&b))
		taken++;
	/* Long past, but the clock is not read on each step. */
	expect_true(taken > 100 && taken < 100000);
}

TEST(endless_timeout_does_not_wrap)
{
	struct budget b;

	budget_init(&b, 1, UINT64_MAX);
	expect_uint(b.deadline_ns, UINT64_MAX);
	expect_true(budget_check_clock(&b));
}

TEST(check_without_deadline)
{
	struct budget b;

	budget_init(&b, 1, 0);
	expect_true(budget_check_clock(&b));
	b.spent = true;
	expect_false(budget_check_clock(&b));
}

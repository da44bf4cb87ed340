/* SPDX-License-Identifier: MIT */
/*
 * Between the checks of a test and the program that runs it.
 */
#ifndef HARNESS_RUNNER_H
#define HARNESS_RUNNER_H

#include <stdbool.h>

enum { TEST_PASSED = 0, TEST_FAILED = 1, TEST_SKIPPED = 77 };

/* Failures noted so far in this process. */
extern unsigned test_failures;

/* System calls are refused, which the sanitizers' end of process cannot bear.
 */
extern bool test_denied;

/* Ends the test, and its process unless --no-fork was given. */
_Noreturn void test_end(int outcome);

#endif /* HARNESS_RUNNER_H */

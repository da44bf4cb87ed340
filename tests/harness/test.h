/* SPDX-License-Identifier: MIT */
/*
 * The test harness. A test file is one program; each TEST runs in a process of
 * its own with a time limit, so that a crash, a hang or a leak stays its own.
 *
 *	#include "harness/test.h"
 *
 *	TEST(adds)
 *	{
 *		expect_int(1 + 1, 2);
 *	}
 *
 * expect_... notes a failure and goes on, assert_... ends the test. Both give
 * the value found first, the value wanted second. Output of a test is shown
 * only when it fails. Exit status of the program: 0 all passed (or were
 * skipped), 1 something failed, 2 usage, 77 everything was skipped.
 *
 *	PROGRAM [--list] [--verbose] [--no-fork] [--timeout SECONDS] [NAME...]
 */
#ifndef HARNESS_TEST_H
#define HARNESS_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bt.h>

#define TEST_TIMEOUT_SECONDS 20

struct test_case {
	const char *name;
	void (*run)(void);
	unsigned timeout; /* seconds */
	struct test_case *next;
};

struct test_where {
	const char *file;
	int line;
	bool fatal; /* ends the test on failure */
};

void test_register(struct test_case *test);
_Noreturn void skip(const char *reason, ...)
    __attribute__((format(printf, 1, 2)));
/* Notes a failure with a text of the test's own. */
void test_fail(struct test_where at, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A directory for this test alone, removed with its content after the test.
 * The same answer for the whole test. */
const char *test_dir(void);
/* Text that lives as long as the test. */
const char *test_format(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* test_dir()/NAME, also to be kept. */
const char *test_path(const char *name);
/* Writes a file (whole path), or ends the test. */
void test_write_file(const char *path, const void *data, size_t size);
/* Reads a whole file, malloc'd with a NUL behind it, or ends the test. */
char *test_read_file(const char *path, size_t *size);
/* Runs a shell command; its exit status, or 128 + signal. */
int test_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Faults. Allocations (malloc, calloc, realloc, strdup, strndup, asprintf,
 * vasprintf called by the code under test): `count` more succeed, then all
 * fail until test_alloc_restore(), which tells whether one was refused.
 */
void test_alloc_allow(size_t count);
bool test_alloc_restore(void);
/* From now on, to the end of the test, the system call fails with errnum; with
 * a mask only when argument `arg` has all bits of it. */
void test_deny(long syscall_number, int errnum);
void test_deny_flag(
    long syscall_number, unsigned arg, uint32_t mask, int errnum);

bool test_true(struct test_where at, bool value, bool want, const char *text);
bool test_int(
    struct test_where at, const char *text, long long value, long long want);
bool test_uint(struct test_where at, const char *text, unsigned long long value,
    unsigned long long want);
bool test_double(
    struct test_where at, const char *text, double value, double want);
bool test_str(struct test_where at, const char *text, const char *value,
    const char *want);
bool test_contains(struct test_where at, const char *text, const char *value,
    const char *part, bool want);
bool test_mem(struct test_where at, const char *text, const void *value,
    const void *want, size_t size);
bool test_ok(
    struct test_where at, const char *text, bool value, const bt_error_t *e);
bool test_code(struct test_where at, const char *text, bool value,
    const bt_error_t *e, enum bt_error_code want);

#define TEST_WITHIN(NAME, SECONDS)                                             \
	static void test_run_##NAME(void);                                     \
	static struct test_case test_case_##NAME = {                           \
	    #NAME, test_run_##NAME, (SECONDS), NULL};                          \
	__attribute__((constructor)) static void test_add_##NAME(void)         \
	{                                                                      \
		test_register(&test_case_##NAME);                              \
	}                                                                      \
	static void test_run_##NAME(void)
#define TEST(NAME) TEST_WITHIN(NAME, TEST_TIMEOUT_SECONDS)

#define TEST_SOFT ((struct test_where){__FILE__, __LINE__, false})
#define TEST_HARD ((struct test_where){__FILE__, __LINE__, true})

#define fail(...) test_fail(TEST_HARD, __VA_ARGS__)

/* Truth. */
#define expect_true(V) test_true(TEST_SOFT, (V), true, #V)
#define assert_true(V) test_true(TEST_HARD, (V), true, #V)
#define expect_false(V) test_true(TEST_SOFT, (V), false, #V)
#define assert_false(V) test_true(TEST_HARD, (V), false, #V)
#define expect_null(V) test_true(TEST_SOFT, (V) == NULL, true, #V " == NULL")
#define assert_null(V) test_true(TEST_HARD, (V) == NULL, true, #V " == NULL")
#define expect_not_null(V)                                                     \
	test_true(TEST_SOFT, (V) != NULL, true, #V " != NULL")
#define assert_not_null(V)                                                     \
	test_true(TEST_HARD, (V) != NULL, true, #V " != NULL")

/* Values: found, wanted. uint is also shown in hexadecimal. */
#define expect_int(V, W) test_int(TEST_SOFT, #V, (V), (W))
#define assert_int(V, W) test_int(TEST_HARD, #V, (V), (W))
#define expect_uint(V, W) test_uint(TEST_SOFT, #V, (V), (W))
#define assert_uint(V, W) test_uint(TEST_HARD, #V, (V), (W))
#define expect_double(V, W) test_double(TEST_SOFT, #V, (V), (W))
#define expect_str(V, W) test_str(TEST_SOFT, #V, (V), (W))
#define assert_str(V, W) test_str(TEST_HARD, #V, (V), (W))
#define expect_contains(V, PART) test_contains(TEST_SOFT, #V, (V), (PART), true)
#define assert_contains(V, PART) test_contains(TEST_HARD, #V, (V), (PART), true)
#define expect_lacks(V, PART) test_contains(TEST_SOFT, #V, (V), (PART), false)
#define expect_mem(V, W, SIZE) test_mem(TEST_SOFT, #V, (V), (W), (SIZE))
#define assert_mem(V, W, SIZE) test_mem(TEST_HARD, #V, (V), (W), (SIZE))

/* Calls that return bool and set a bt_error_t: the error's text is shown. */
#define expect_ok(CALL, E) test_ok(TEST_SOFT, #CALL, (CALL), (E))
#define assert_ok(CALL, E) test_ok(TEST_HARD, #CALL, (CALL), (E))
/* The call must fail with this code and a text. */
#define expect_code(CALL, E, CODE)                                             \
	test_code(TEST_SOFT, #CALL, (CALL), (E), (CODE))
#define assert_code(CALL, E, CODE)                                             \
	test_code(TEST_HARD, #CALL, (CALL), (E), (CODE))

#endif /* HARNESS_TEST_H */

/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target as a plain program:
 *
 *	fuzz_NAME [--allocations] [--mutate COUNT [--seed R]] FILE|DIRECTORY...
 *
 * calls it with each file. With --allocations it goes on with each file whose
 * n-th allocation fails, and all after it, for n = 0, 1, 2, ... until none was
 * refused; of a file that makes very many, those beyond the first few hundred
 * are taken at growing distances. --mutate changes each file COUNT times, as
 * the target's own mutator does, or else at random.
 *
 * An input that takes more than SECONDS, or makes the target die, fails the
 * program; the last line before tells which it was.
 */
#include "damage.h"
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/runner.h"
#include "harness/test.h"

enum { SECONDS = 60, DENSE = 200, INPUT_MAX = 1 << 20 };

/* Only libFuzzer's form of a target has to have one. */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(
    uint8_t *data, size_t size, size_t max, unsigned seed);

static struct {
	bool allocations;
	unsigned long mutations, seed;
	unsigned long files, calls;
} run;

/* What harness/faults.c calls. */
void
skip(const char *reason, ...)
{
	(void)puts(reason);
	exit(TEST_SKIPPED);
}

static char what[512];

/* Only what a handler may call. */
static void
report(int number)
{
	ssize_t n = write(STDERR_FILENO, what, strlen(what));

	(void)n;
	_exit(128 + number);
}

static void
call(const char *path, const char *how, unsigned long n, const uint8_t *data,
    size_t size)
{
	/* Exactly as large as it is, so that a byte too far is noticed. */
	uint8_t *copy = malloc(size != 0 ? size : 1);

	if (copy == NULL)
		return;
	if (size != 0)
		memcpy(copy, data, size);
	(void)snprintf(what, sizeof(what), "FAIL: %s: %s %lu\n", path, how, n);
	(void)alarm(SECONDS);
	if (run.allocations)
		test_alloc_allow(n);
	(void)LLVMFuzzerTestOneInput(copy, size);
	(void)alarm(0);
	run.calls++;
	free(copy);
}

size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	static uint64_t state = 1;

	(void)max;
	if (size == 0)
		return 0;
	for (uint64_t n = 1 + damage_below(&state, 4); n != 0; n--) {
		size_t at = (size_t)damage_below(&state, size);

		data[at] = (uint8_t)damage_next(&state);
		if (damage_below(&state, 8) == 0)
			size = at != 0 ? at : size;
	}
	return size;
}

static void
mutations(const char *path, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(INPUT_MAX);

	for (unsigned long i = 0; copy != NULL && i < run.mutations; i++) {
		size_t n = size;

		memcpy(copy, data, size);
		n = LLVMFuzzerCustomMutator != NULL
		    ? LLVMFuzzerCustomMutator(
			  copy, n, INPUT_MAX, (unsigned)(run.seed + i))
		    : LLVMFuzzerMutate(copy, n, INPUT_MAX);
		call(path, "mutation", run.seed + i, copy, n);
	}
	free(copy);
}

static void
allocations(const char *path, const uint8_t *data, size_t size)
{
	bool refused = true;

	for (unsigned long n = 0; refused;
	     n += n < DENSE ? 1 : n / (DENSE / 4)) {
		call(path, "allocation", n, data, size);
		refused = test_alloc_restore();
	}
}

static bool
replay_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *f = fopen(path, "rb");
	size_t size;
	bool allocating = run.allocations;

	if (f == NULL || data == NULL) {
		perror(path);
		return false;
	}
	size = fread(data, 1, INPUT_MAX, f);
	(void)fclose(f);
	run.files++;
	run.allocations = false;
	call(path, "as it is", 0, data, size);
	mutations(path, data, size);
	run.allocations = allocating;
	if (run.allocations)
		allocations(path, data, size);
	free(data);
	return true;
}

static bool
replay_directory(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	bool ok = n >= 0;

	if (!ok)
		perror(path);
	for (int i = 0; i < n; i++) {
		char name[4096];

		(void)snprintf(
		    name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			ok = replay_file(name) && ok;
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return ok;
}

static unsigned long
number(const char *text)
{

	return text != NULL ? strtoul(text, NULL, 0) : 0;
}

int
main(int argc, char **argv)
{
	bool ok = true;

	(void)signal(SIGALRM, report);
	(void)signal(SIGPIPE, SIG_IGN);
#ifndef __SANITIZE_ADDRESS__
	(void)signal(SIGSEGV, report);
	(void)signal(SIGBUS, report);
	(void)signal(SIGFPE, report);
#endif
	(void)signal(SIGABRT, report);
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (strcmp(argv[i], "--allocations") == 0)
			run.allocations = true;
		else if (strcmp(argv[i], "--mutate") == 0)
			run.mutations = number(argv[++i]);
		else if (strcmp(argv[i], "--seed") == 0)
			run.seed = number(argv[++i]);
		else if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			ok = replay_directory(argv[i]) && ok;
		else
			ok = replay_file(argv[i]) && ok;
	}
	(void)printf("%lu files, %lu calls\n", run.files, run.calls);
	return ok && run.files != 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * The program around the tests of one file: runs each in a child process and a
 * process group of its own, ends the whole group when time is up, and shows
 * what a failed test printed.
 */
#include "harness/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/test.h"

struct options {
	bool list;
	bool verbose;
	bool no_fork;
	unsigned timeout; /* 0: each test's own */
	char **names;
	int name_count;
};

struct tally {
	unsigned passed, failed, skipped;
};

unsigned test_failures;

static struct test_case *first_test, **last_test = &first_test;
static bool forked;
static jmp_buf after_test;
static char scratch_dir[64];

/* AddressSanitizer asks the program: an allocation that cannot be had is NULL,
 * as without it. */
const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

void
test_register(struct test_case *test)
{
	*last_test = test;
	last_test = &test->next;
}

void
test_end(int outcome)
{
	(void)fflush(NULL);
	if (forked && test_denied)
		_exit(outcome);
	if (forked)
		exit(outcome); /* not _exit: LeakSanitizer looks at exit */
	longjmp(after_test, outcome == TEST_PASSED ? -1 : outcome);
}

/* The directory's name is made before the fork, so that the parent can remove
 * what a crashed test leaves. */
const char *
test_dir(void)
{
	static bool made;

	if (!made && mkdir(scratch_dir, 0700) != 0)
		fail("cannot make %s: %s", scratch_dir, strerror(errno));
	made = true;
	return scratch_dir;
}

/* With the time: a run that was killed leaves its directory, and numbers of
 * processes come again. */
static void
name_scratch_dir(void)
{
	static unsigned number;
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(scratch_dir, sizeof(scratch_dir),
	    "/tmp/inquest-test.%ld.%lx%08lx.%u", (long)getpid(),
	    (unsigned long)now.tv_sec, (unsigned long)now.tv_nsec, number++);
}

static void
remove_scratch_dir(void)
{
	struct stat st;
	pid_t pid;

	if (lstat(scratch_dir, &st) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", scratch_dir, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

static _Noreturn void
child(const struct test_case *test, int output)
{
	/* A test that crashes leaves no core; one that wants cores asks. */
	struct rlimit cores = {0};

	(void)setpgid(0, 0);
	(void)getrlimit(RLIMIT_CORE, &cores);
	cores.rlim_cur = 0;
	(void)setrlimit(RLIMIT_CORE, &cores);
	if (output >= 0) {
		(void)dup2(output, STDOUT_FILENO);
		(void)dup2(output, STDERR_FILENO);
		(void)close(output);
	}
	forked = true;
	test->run();
	test_end(test_failures > 0 ? TEST_FAILED : TEST_PASSED);
}

/* Waits for the child; false when its time is up. */
static bool
wait_until(pid_t pid, unsigned seconds)
{
	struct pollfd ready = {.events = POLLIN};
	struct timespec start, now;
	long long left = (long long)seconds * 1000;
	int n = 0;

	ready.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ready.fd < 0)
		return true; /* no time limit, but the test runs */
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	while (left > 0 && (n = poll(&ready, 1, (int)left)) < 0) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		left = (long long)seconds * 1000 -
		    (now.tv_sec - start.tv_sec) * 1000;
	}
	(void)close(ready.fd);
	return n != 0;
}

static void
copy_output(int output)
{
	char room[4096];
	ssize_t n;

	(void)fflush(stdout);
	(void)lseek(output, 0, SEEK_SET);
	while ((n = read(output, room, sizeof(room))) > 0) {
		if (write(STDOUT_FILENO, room, (size_t)n) < 0)
			return;
	}
}

static int
run_in_child(const struct test_case *test, const struct options *o)
{
	unsigned seconds = o->timeout != 0 ? o->timeout : test->timeout;
	int output = o->verbose ? -1 : memfd_create("output", MFD_CLOEXEC);
	int status = 0, outcome;
	bool in_time;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(test, output);
	if (pid < 0) {
		printf("cannot fork: %s\n", strerror(errno));
		return TEST_FAILED;
	}
	(void)setpgid(pid, pid); /* whoever is first */
	in_time = wait_until(pid, seconds);
	/* Whatever the test has started ends with it; the group still exists
	 * as long as the child is not waited for. */
	(void)kill(-pid, SIGKILL);
	if (!in_time)
		(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	outcome = WIFEXITED(status) ? WEXITSTATUS(status) : TEST_FAILED;
	if (!in_time)
		outcome = TEST_FAILED;
	if (output >= 0 && outcome != TEST_PASSED)
		copy_output(output);
	if (!in_time)
		printf("%s: no end after %u s\n", test->name, seconds);
	else if (WIFSIGNALED(status))
		printf("%s: killed by signal %d (%s)\n", test->name,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (outcome != TEST_PASSED && outcome != TEST_SKIPPED &&
	    outcome != TEST_FAILED)
		printf("%s: exit status %d\n", test->name, outcome);
	if (output >= 0)
		(void)close(output);
	return outcome;
}

/* For a debugger: everything in this process. */
static int
run_here(const struct test_case *test)
{
	int outcome;

	test_failures = 0;
	outcome = setjmp(after_test);
	if (outcome == 0) {
		test->run();
		outcome = test_failures > 0 ? TEST_FAILED : -1;
	}
	return outcome == -1 ? TEST_PASSED : outcome;
}

static void
run_test(
    const struct test_case *test, const struct options *o, struct tally *tally)
{
	int outcome;

	name_scratch_dir();
	outcome = o->no_fork ? run_here(test) : run_in_child(test, o);
	remove_scratch_dir();
	if (outcome == TEST_PASSED)
		tally->passed++;
	else if (outcome == TEST_SKIPPED)
		tally->skipped++;
	else
		tally->failed++;
	if (outcome == TEST_SKIPPED)
		printf("SKIP %s\n", test->name);
	else if (outcome != TEST_PASSED)
		printf("FAIL %s\n", test->name);
	else if (o->verbose)
		printf("PASS %s\n", test->name);
}

static bool
wanted(const struct test_case *test, const struct options *o)
{
	for (int i = 0; i < o->name_count; i++) {
		if (strcmp(o->names[i], test->name) == 0)
			return true;
	}
	return o->name_count == 0;
}

static bool
read_options(int argc, char **argv, struct options *o)
{
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--list") == 0)
			o->list = true;
		else if (strcmp(argv[i], "--verbose") == 0)
			o->verbose = true;
		else if (strcmp(argv[i], "--no-fork") == 0)
			o->no_fork = true;
		else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc)
			o->timeout = (unsigned)strtoul(argv[++i], NULL, 10);
		else
			return false;
	}
	o->names = argv + i;
	o->name_count = argc - i;
	return true;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	struct tally tally = {0};
	unsigned count = 0;

	/* A crash loses no text. */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (!read_options(argc, argv, &o)) {
		fprintf(stderr,
		    "usage: %s [--list] [--verbose] [--no-fork] "
		    "[--timeout SECONDS] [NAME...]\n",
		    argv[0]);
		return 2;
	}
	for (const struct test_case *t = first_test; t != NULL; t = t->next) {
		if (!wanted(t, &o))
			continue;
		count++;
		if (o.list)
			printf("%s\n", t->name);
		else
			run_test(t, &o, &tally);
	}
	if (o.list)
		return 0;
	/* A misspelt name must not look like a pass. */
	if (count == 0 || count < (unsigned)o.name_count) {
		fprintf(stderr, "%s: no such test\n", argv[0]);
		return 2;
	}
	printf("%u passed, %u failed, %u skipped\n", tally.passed, tally.failed,
	    tally.skipped);
	if (tally.failed > 0)
		return TEST_FAILED;
	return tally.passed == 0 && tally.skipped > 0 ? TEST_SKIPPED
						      : TEST_PASSED;
}

/* SPDX-License-Identifier: MIT */
/*
 * What a test calls: comparisons that say what was found and what was wanted,
 * skipping, and a few helpers around files. Runs in the test's own process.
 */
#include "harness/test.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/runner.h"

void
test_fail(struct test_where at, const char *format, ...)
{
	va_list ap;

	printf("%s:%d: ", at.file, at.line);
	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
	printf("\n");
	test_failures++;
	if (at.fatal)
		test_end(TEST_FAILED);
}

void
skip(const char *reason, ...)
{
	va_list ap;

	printf("skipped: ");
	va_start(ap, reason);
	(void)vprintf(reason, ap);
	va_end(ap);
	printf("\n");
	test_end(TEST_SKIPPED);
}

bool
test_true(struct test_where at, bool value, bool want, const char *text)
{
	if (value != want)
		test_fail(at, "expected %s: %s", want ? "true" : "false", text);
	return value == want;
}

bool
test_int(
    struct test_where at, const char *text, long long value, long long want)
{
	if (value != want)
		test_fail(at, "%s is %lld, expected %lld", text, value, want);
	return value == want;
}

bool
test_uint(struct test_where at, const char *text, unsigned long long value,
    unsigned long long want)
{
	if (value != want)
		test_fail(at, "%s is %llu (0x%llx), expected %llu (0x%llx)",
		    text, value, value, want, want);
	return value == want;
}

bool
test_double(struct test_where at, const char *text, double value, double want)
{
	bool same = isnan(want) ? isnan(value)
				: memcmp(&value, &want, sizeof(want)) == 0;

	if (!same)
		test_fail(at, "%s is %.17g, expected %.17g", text, value, want);
	return same;
}

bool
test_str(
    struct test_where at, const char *text, const char *value, const char *want)
{
	bool same = value == NULL || want == NULL ? value == want
						  : strcmp(value, want) == 0;

	if (!same)
		test_fail(at, "%s is\n  \"%s\", expected\n  \"%s\"", text,
		    value != NULL ? value : "(NULL)",
		    want != NULL ? want : "(NULL)");
	return same;
}

bool
test_contains(struct test_where at, const char *text, const char *value,
    const char *part, bool want)
{
	bool found = value != NULL && strstr(value, part) != NULL;

	if (found != want)
		test_fail(at, "%s is\n  \"%s\", %s\n  \"%s\"", text,
		    value != NULL ? value : "(NULL)",
		    want ? "which lacks" : "which must not contain", part);
	return found == want;
}

static void
print_bytes(const char *label, const uint8_t *bytes, size_t size)
{
	printf("  %s", label);
	for (size_t i = 0; i < size; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

bool
test_mem(struct test_where at, const char *text, const void *value,
    const void *want, size_t size)
{
	const uint8_t *a = value, *b = want;
	size_t first = 0, shown;

	if (size == 0)
		return true;
	if (a == NULL || b == NULL) {
		test_fail(at, "%s is NULL", a == NULL ? text : "wanted value");
		return false;
	}
	while (first < size && a[first] == b[first])
		first++;
	if (first == size)
		return true;
	shown = size - first < 16 ? size - first : 16;
	print_bytes("found ", a + first, shown);
	print_bytes("wanted", b + first, shown);
	test_fail(at, "%s differs at byte %zu of %zu", text, first, size);
	return false;
}

bool
test_ok(struct test_where at, const char *text, bool value, const bt_error_t *e)
{
	if (!value)
		test_fail(at, "%s failed: %s", text,
		    e != NULL ? e->text : "(no error)");
	return value;
}

bool
test_code(struct test_where at, const char *text, bool value,
    const bt_error_t *e, enum bt_error_code want)
{
	if (value)
		test_fail(at, "%s did not fail", text);
	else if (e->code != (uint32_t)want)
		test_fail(at, "%s: error code %u, expected %d (%s)", text,
		    e->code, want, e->text);
	else if (e->text[0] == '\0')
		test_fail(at, "%s: the error has no text", text);
	else
		return true;
	return false;
}

/* Kept where LeakSanitizer finds it. */
struct kept {
	struct kept *next;
	char *text;
};

const char *
test_format(const char *format, ...)
{
	static struct kept *first;
	struct kept *k = malloc(sizeof(*k));
	va_list ap;

	if (k == NULL)
		fail("out of memory");
	va_start(ap, format);
	if (vasprintf(&k->text, format, ap) < 0)
		fail("out of memory");
	va_end(ap);
	k->next = first;
	first = k;
	return k->text;
}

const char *
test_path(const char *name)
{
	return test_format("%s/%s", test_dir(), name);
}

void
test_write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wbe");

	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		fail("cannot write %s: %s", path, strerror(errno));
}

char *
test_read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rbe");
	char *data = NULL;
	size_t used = 0, n = 0;

	if (f == NULL)
		fail("cannot open %s: %s", path, strerror(errno));
	do {
		data = realloc(data, used + 65536 + 1);
		if (data == NULL)
			fail("out of memory");
		n = fread(data + used, 1, 65536, f);
		used += n;
	} while (n > 0);
	(void)fclose(f);
	data[used] = '\0';
	if (size != NULL)
		*size = used;
	return data;
}

int
test_shell(const char *format, ...)
{
	char *command;
	va_list ap;
	pid_t pid;
	int n, status = 0;

	va_start(ap, format);
	n = vasprintf(&command, format, ap);
	va_end(ap);
	if (n < 0)
		fail("out of memory");
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail("cannot run %s: %s", command, strerror(errno));
	free(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

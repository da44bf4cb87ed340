/* SPDX-License-Identifier: MIT */
/*
 * Options from a file: one "long-option = value" a line.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/options.h"

/* More is no configuration. */
enum { CONFIG_MAX = 1024 * 1024 };

/* The whole file with a NUL at its end. Its text stays until the program
 * ends: option values point into it. */
static char *
read_file(const char *path, bt_error_t *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *text = NULL;
	size_t got = 0;

	if (fd < 0) {
		(void)bt_fail_os(e, errno, "%s", path);
		return NULL;
	}
	if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode) == false)
		(void)bt_fail(e, BT_E_USAGE, "%s: not a regular file", path);
	else if (st.st_size > CONFIG_MAX)
		(void)bt_fail(e, BT_E_USAGE, "%s: larger than 1 MiB", path);
	else if ((text = calloc(1, (size_t)st.st_size + 1)) == NULL)
		(void)bt_fail(e, BT_E_NOMEM, "out of memory");
	while (text != NULL && got < (size_t)st.st_size) {
		ssize_t n = read(fd, text + got, (size_t)st.st_size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	(void)close(fd);
	return text;
}

/* Cuts blanks at both ends, in place. */
static char *
trim(char *text)
{
	size_t n = strlen(text);

	while (n != 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static bool
is_one_of(const char *value, const char *a, const char *b, const char *c)
{

	return strcmp(value, a) == 0 || strcmp(value, b) == 0 ||
	    strcmp(value, c) == 0;
}

static bool
apply_line(const struct options_table *t, const char *where, unsigned number,
    char *line, bt_error_t *e)
{
	char *equals = strchr(line, '='), *value = NULL, *name;
	const struct option_row *r;

	if (equals != NULL) {
		*equals = '\0';
		value = trim(equals + 1);
	}
	name = trim(line);
	for (r = t->rows; r->apply != NULL; r++)
		if (r->name != NULL && strcmp(r->name, name) == 0)
			break;
	if (r->apply == NULL || strcmp(name, "config") == 0)
		return bt_fail(e, BT_E_USAGE, "%s:%u: unknown option '%s'",
		    where, number, name);
	if (r->argument != NULL && value == NULL &&
	    option_is_optional(r) == false)
		return bt_fail(e, BT_E_USAGE, "%s:%u: '%s' needs a value: %s",
		    where, number, name, r->argument);
	if ((r->argument == NULL || option_is_optional(r)) && value != NULL) {
		if (is_one_of(value, "no", "false", "0"))
			return true;
		if (is_one_of(value, "yes", "true", "1"))
			value = NULL;
		else if (r->argument == NULL)
			return bt_fail(e, BT_E_USAGE,
			    "%s:%u: '%s' is yes or no", where, number, name);
	}
	if (r->apply(t->ctx, value, e))
		return true;
	return bt_wrap(e, "%s:%u", where, number);
}

bool
options_read_text(
    const struct options_table *t, const char *where, char *text, bt_error_t *e)
{
	unsigned number = 0;

	while (text != NULL) {
		char *line = strsep(&text, "\n");

		number++;
		line = trim(line);
		if (*line != '\0' && *line != '#' &&
		    apply_line(t, where, number, line, e) == false)
			return false;
	}
	return true;
}

bool
options_read_file(
    const struct options_table *t, const char *path, bt_error_t *e)
{
	char *text = read_file(path, e);

	return text != NULL && options_read_text(t, path, text, e);
}

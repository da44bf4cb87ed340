/* SPDX-License-Identifier: MIT */
/*
 * The kernel's settings.
 */
#include "coresnap/pattern.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "service/file.h"

static bool
read_setting(
    const char *dir, const char *name, char *out, size_t size, bt_error_t *e)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, out, size - 1) : -1;
	if (n < 0)
		(void)bt_fail_os(e, errno, "cannot read %s", path);
	if (fd >= 0)
		(void)close(fd);
	if (n < 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static bool
write_setting(
    const char *dir, const char *name, const char *text, bt_error_t *e)
{
	char path[PATH_MAX];
	bool good;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	if (fd < 0)
		return bt_fail_os(e, errno, "cannot open %s", path);
	good = file_write(fd, text, strlen(text), e) || bt_wrap(e, "%s", path);
	(void)close(fd);
	return good;
}

bool
pattern_read(const char *sysctl, char out[PATTERN_MAX], bt_error_t *e)
{

	return read_setting(sysctl, "core_pattern", out, PATTERN_MAX, e);
}

bool
pattern_write(const char *sysctl, const char *text, bt_error_t *e)
{
	if (strlen(text) >= PATTERN_MAX)
		return bt_fail(e, BT_E_LIMIT,
		    "the kernel takes a core_pattern of at most %d characters: "
		    "%s",
		    PATTERN_MAX - 1, text);
	return write_setting(sysctl, "core_pattern", text, e);
}

bool
pattern_is_ours(const char *pattern)
{
	const char *space = strchr(pattern, ' ');
	size_t len = space != NULL ? (size_t)(space - pattern)
				   : strlen(pattern);
	static const char helper[] = "/coresnap", at[] = "coresnap";

	if (pattern[0] == '|')
		return space != NULL && len > sizeof(helper) - 1 &&
		    memcmp(pattern + len - (sizeof(helper) - 1), helper,
			sizeof(helper) - 1) == 0;
	return pattern[0] == '@' && strstr(pattern, at) != NULL;
}

bool
pattern_pipe_limit(const char *sysctl, int *out, const char *set, bt_error_t *e)
{
	char text[32];
	int64_t value;

	if (set != NULL)
		return write_setting(sysctl, "core_pipe_limit", set, e);
	if (read_setting(sysctl, "core_pipe_limit", text, sizeof(text), e) ==
	    false)
		return false;
	*out = text_i64(text, &value) ? (int)value : 0;
	return true;
}

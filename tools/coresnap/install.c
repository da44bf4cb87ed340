/* SPDX-License-Identifier: MIT */
/*
 * coresnap install and uninstall: making this machine's cores come to us, and
 * giving them back to whoever had them.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "coresnap/command.h"
#include "coresnap/pattern.h"
#include "service/file.h"

/* What was set before, in the spool: "pattern", "limit". */
static const char saved[] = "core_pattern.before";

/* The kernel waits for so many helpers; /proc/PID stays until they are done. */
static const char pipe_limit[] = "16";

/* Older kernels take the pattern for a file name and say nothing. */
static const char *
socket_form(const char *release)
{
	unsigned major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return NULL;
	if (major > 6 || (major == 6 && minor >= 17))
		return "@@";
	return major == 6 && minor == 16 ? "@" : NULL;
}

static int
socket_pattern(
    const struct command_context *c, char out[PATTERN_MAX], bt_error_t *e)
{
	const char *form = NULL;
	struct utsname u;

	if (c->config.socket[0] != '/') {
		(void)bt_fail(e, BT_E_USAGE,
		    "--socket: the configuration names no 'socket'");
		return -1;
	}
	if (uname(&u) == 0)
		form = socket_form(u.release);
	if (form == NULL) {
		(void)bt_fail(e, BT_E_USAGE,
		    "--socket: this kernel (%s) sends cores to no socket; "
		    "Linux 6.16 and newer do: install without it",
		    u.release);
		return -1;
	}
	return snprintf(out, PATTERN_MAX, "%s%s", form, c->config.socket);
}

/* The path as it can stand in the setting. */
static bool
resolve(const char *path, char out[PATH_MAX], bt_error_t *e)
{
	if (realpath(path, out) == NULL)
		return bt_fail_os(e, errno, "%s", path);
	return strpbrk(out, " %") == NULL ||
	    bt_fail(e, BT_E_USAGE,
		"the kernel splits a core_pattern at blanks: '%s' cannot stand "
		"in it",
		out);
}

static bool
make_pattern(
    const struct command_context *c, char out[PATTERN_MAX], bt_error_t *e)
{
	char self[PATH_MAX], chosen[PATH_MAX];
	const char *option = "";
	int len;

	if (c->socket) {
		len = socket_pattern(c, out, e);
		if (len < 0)
			return false;
	} else {
		if (resolve("/proc/self/exe", self, e) == false)
			return false;
		/* The helper finds by itself what it would find anyway. */
		chosen[0] = '\0';
		if (c->config_given) {
			option = " -c ";
			if (resolve(c->config_path, chosen, e) == false)
				return false;
		}
		len = snprintf(out, PATTERN_MAX,
		    "|%s%s%s archive -- %%P %%u %%g %%s %%t %%d %%i %%F %%e "
		    "%%E",
		    self, option, chosen);
	}
	return len < PATTERN_MAX ||
	    bt_fail(e, BT_E_LIMIT,
		"the kernel takes a core_pattern of at most %d characters",
		PATTERN_MAX - 1);
}

static bool
save(const struct command_context *c, const char *pattern, int limit,
    bt_error_t *e)
{
	struct fields f;
	bool good;

	fields_init(&f);
	fields_set(&f, "pattern", pattern);
	fields_set_i64(&f, "limit", limit);
	good = fields_save(&f, c->spool.root, saved, e);
	fields_deinit(&f);
	return good;
}

/* A setting that did not become what was written is given back at once. */
static bool
try_pattern(const struct command_context *c, const char *wanted,
    const char *before, bt_error_t *e)
{
	char now[PATTERN_MAX];

	if (pattern_write(c->sysctl, wanted, e) == false ||
	    pattern_read(c->sysctl, now, e) == false)
		return false;
	if (strcmp(now, wanted) == 0)
		return true;
	(void)pattern_write(c->sysctl, before, e);
	return bt_fail(e, BT_E_OS, "the kernel made '%s' of '%s'", now, wanted);
}

int
command_install(struct command_context *c)
{
	char before[PATTERN_MAX], wanted[PATTERN_MAX];
	int limit = 0;
	bt_error_t e;

	if (make_pattern(c, wanted, &e) == false ||
	    pattern_read(c->sysctl, before, &e) == false ||
	    pattern_pipe_limit(c->sysctl, &limit, NULL, &e) == false)
		return command_fail(&e);
	if (before[0] == '|' && pattern_is_ours(before) == false &&
	    c->force == false) {
		(void)bt_fail(&e, BT_E_USAGE,
		    "the cores of this machine go to '%s'; --force replaces it",
		    before);
		return command_fail(&e);
	}
	/* Not over what a first installation has saved. */
	if (pattern_is_ours(before) == false &&
	    save(c, before, limit, &e) == false)
		return command_fail(&e);
	if ((limit == 0 &&
		pattern_pipe_limit(c->sysctl, NULL, pipe_limit, &e) == false) ||
	    try_pattern(c, wanted, before, &e) == false)
		return command_fail(&e);
	(void)printf("core_pattern is now: %s\n", wanted);
	return fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

int
command_uninstall(struct command_context *c)
{
	char now[PATTERN_MAX], limit[32];
	const char *pattern;
	struct fields f;
	bt_error_t e;
	bool good;

	if (pattern_read(c->sysctl, now, &e) == false)
		return command_fail(&e);
	if (pattern_is_ours(now) == false)
		return COMMAND_DONE;
	fields_init(&f);
	/* Never saved, or the spool has gone: the kernel's default. */
	(void)fields_load(&f, c->spool.root, saved, &e);
	pattern = fields_get(&f, "pattern");
	(void)snprintf(limit, sizeof(limit), "%lld",
	    (long long)fields_get_i64(&f, "limit", 0));
	good = pattern_write(
		   c->sysctl, pattern != NULL ? pattern : "core", &e) &&
	    pattern_pipe_limit(c->sysctl, NULL, limit, &e);
	if (good)
		(void)unlinkat(c->spool.root, saved, 0);
	fields_deinit(&f);
	return good ? COMMAND_DONE : command_fail(&e);
}

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/text.h"
#include "common/compose.h"
#include "ptrace/options.h"

static struct module_settings *
settings(void *ctx)
{

	return &((struct ptrace_options *)ctx)->module;
}

bool
module_option_load(void *ctx, const char *value, bt_error_t *e)
{

	if (*value == '\0')
		return bt_fail(e, BT_E_USAGE, "--module-load needs a file");
	return option_list_add(&settings(ctx)->files, value, e);
}

bool
module_option_check(void *ctx, const char *value, bt_error_t *e)
{

	if (*value == '\0')
		return bt_fail(e, BT_E_USAGE, "--module-check needs a file");
	settings(ctx)->check = value;
	return true;
}

bool
module_option_path(void *ctx, const char *value, bt_error_t *e)
{

	if (*value == '\0')
		return bt_fail(
		    e, BT_E_USAGE, "--modules-path needs a directory");
	return option_list_add(&settings(ctx)->dirs, value, e);
}

static bool
add_option(struct module_settings *m, const char *id, const char *key,
    const char *value, bt_error_t *e)
{
	enum { OPTIONS_MAX = 4096 };
	struct module_option *options;

	if (m->n_options == OPTIONS_MAX)
		return bt_fail(e, BT_E_USAGE, "too many --module options");
	options = realloc(m->options, (m->n_options + 1) * sizeof(*options));
	if (options == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	m->options = options;
	options[m->n_options++] = (struct module_option){id, key, value};
	return true;
}

/* The part of text up to the comma, terminated; *text: what follows it. */
static char *
next_part(char **text)
{
	char *part = *text, *comma = part != NULL ? strchr(part, ',') : NULL;

	*text = comma != NULL ? comma + 1 : NULL;
	if (comma != NULL)
		*comma = '\0';
	return part;
}

/* ID:key,value,key,value: keys and values take turns. */
bool
module_option_module(void *ctx, const char *value, bt_error_t *e)
{
	char *copy = strdup(value), *rest, *key, *text;

	if (copy == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	rest = strchr(copy, ':');
	if (rest == NULL || rest == copy) {
		free(copy);
		return bt_fail(e, BT_E_USAGE,
		    "--module: '%s' is not ID:key,value,...", value);
	}
	/* The copy stays: the options point into it. */
	*rest++ = '\0';
	while ((key = next_part(&rest)) != NULL && *key != '\0') {
		text = next_part(&rest);
		if (text == NULL)
			return bt_fail(e, BT_E_USAGE,
			    "--module: key '%s' of '%s' has no value", key,
			    copy);
		if (add_option(settings(ctx), copy, key, text, e) == false)
			return false;
	}
	return true;
}

/* "text,slots" -> "text+slots": commas end the values of modules. */
static bool
security_checks(char *list, bt_error_t *e)
{
	static const char *const names[] = {
	    "writable", "text", "slots", "constructors", "chains", "stack"};
	const size_t n = sizeof(names) / sizeof(*names);

	for (char *at = list; *at != '\0';) {
		size_t length = strcspn(at, ",+"), i = 0;

		while (i < n &&
		    (strlen(names[i]) != length ||
			memcmp(names[i], at, length) != 0))
			i++;
		if (i == n)
			return bt_fail(e, BT_E_USAGE,
			    "--security: '%.*s' is none of writable, text, "
			    "slots, constructors, chains, stack",
			    (int)length, at);
		at += length;
		if (*at != '\0')
			*at++ = '+';
	}
	return true;
}

bool
module_option_security(void *ctx, const char *value, bt_error_t *e)
{
	char *list = value != NULL ? strdup(value) : NULL; /* stays */

	if (value != NULL && list == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	if (list != NULL && security_checks(list, e) == false) {
		free(list);
		return false;
	}
	return add_option(settings(ctx), "security", "enable", "true", e) &&
	    (list == NULL ||
		add_option(settings(ctx), "security", "checks", list, e));
}

bool
module_option_stale(void *ctx, const char *value, bt_error_t *e)
{
	enum { LEVELS_MAX = 16 };
	uint64_t levels;

	if (value != NULL &&
	    (text_u64(value, &levels) == false || levels == 0 ||
		levels > LEVELS_MAX))
		return bt_fail(e, BT_E_USAGE,
		    "--stale-pointer: '%s' is not a number of levels from 1 to "
		    "%d",
		    value, LEVELS_MAX);
	return add_option(settings(ctx), "stale", "enable", "true", e) &&
	    (value == NULL ||
		add_option(settings(ctx), "stale", "levels", value, e));
}

bool
module_option_whitelist(void *ctx, const char *value, bt_error_t *e)
{
	char *rest = strdup(value), *name;

	if (rest == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	while ((name = next_part(&rest)) != NULL) {
		if (*name == '\0')
			continue;
		if (compose_is_library(name) == false)
			return bt_fail(e, BT_E_USAGE,
			    "--sandbox-whitelist: '%s' is none of %s", name,
			    compose_libraries());
		if (option_list_add(&settings(ctx)->whitelist, name, e) ==
		    false)
			return false;
	}
	return true;
}

static bool
parse_seconds(
    const char *option, const char *value, uint64_t *out, bt_error_t *e)
{
	enum { LONGEST = 24 * 60 * 60 };
	uint64_t seconds;

	if (text_u64(value, &seconds) == false || seconds == 0 ||
	    seconds > LONGEST)
		return bt_fail(e, BT_E_USAGE,
		    "%s: '%s' is not a number of seconds", option, value);
	*out = seconds * 1000000000;
	return true;
}

bool
module_option_timeout(void *ctx, const char *value, bt_error_t *e)
{

	return parse_seconds(
	    "--module-timeout", value, &settings(ctx)->time_ns, e);
}

bool
module_option_total_timeout(void *ctx, const char *value, bt_error_t *e)
{

	return parse_seconds(
	    "--modules-timeout", value, &settings(ctx)->total_time_ns, e);
}

/* Files, programs, libraries: nothing would be left that a filter could
 * refuse. */
static bool
needs_no_filter(const struct module_settings *m)
{
	static const char *const open[] = {"io", "os", "ffi", "package"};

	for (size_t i = 0; i < m->whitelist.count; i++)
		for (size_t j = 0; j < sizeof(open) / sizeof(*open); j++)
			if (strcmp(m->whitelist.items[i], open[j]) == 0)
				return true;
	return false;
}

void
module_settings_finish(struct module_settings *m, struct core_options *o)
{
	struct session_options *s = &o->session;

	s->module_files = m->files.items;
	s->module_dirs = m->dirs.items;
	s->module_options = m->options;
	s->n_module_options = m->n_options;
	s->module_time_ns = m->time_ns;
	s->modules_time_ns = m->total_time_ns;
	s->sandbox.unfiltered = needs_no_filter(m);
	o->lua.whitelist = m->whitelist.items;
	o->lua.time_ns = m->time_ns;
}

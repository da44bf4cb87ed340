/* SPDX-License-Identifier: MIT */
/*
 * Options that both programs have.
 */
#include "common/core_options.h"
#include "base/cache.h"
#include "base/text.h"
#include "common/compose.h"
#include "session/copies.h"

enum { CACHE_DEFAULT_GIB = 4 };

bool
core_option_core(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	if (*value == '\0')
		return bt_fail(e, BT_E_USAGE, "--core needs a file");
	o->session.core_path = value;
	return true;
}

bool
core_option_sysroot(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)e;
	o->session.sysroot = *value != '\0' ? value : NULL;
	return true;
}

bool
core_option_debug_path(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	return option_list_add(&o->debug_paths, value, e);
}

bool
core_option_cache(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)e;
	o->cache_dir = *value != '\0' ? value : NULL;
	return true;
}

bool
core_option_cache_size(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	if (text_size(value, &o->cache_size) == false || o->cache_size == 0)
		return bt_fail(e, BT_E_USAGE,
		    "--cache-size: '%s' is not a size such as 512M, 8G", value);
	return true;
}

bool
core_option_load(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	return option_list_add(&o->load, value, e);
}

bool
core_option_force(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)value;
	(void)e;
	o->session.force = true;
	return true;
}

bool
core_option_no_sandbox(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)value;
	(void)e;
	o->session.sandbox.off = true;
	return true;
}

bool
core_option_stats(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)value;
	(void)e;
	o->session.stats = true;
	return true;
}

bool
core_option_timeout(void *ctx, const char *value, bt_error_t *e)
{
	enum { LONGEST = 24 * 60 * 60 };
	struct core_options *o = ctx;
	uint64_t seconds;

	if (text_u64(value, &seconds) == false || seconds == 0 ||
	    seconds > LONGEST)
		return bt_fail(e, BT_E_USAGE,
		    "--timeout: '%s' is not a number of seconds", value);
	o->session.timeout_ns = seconds * 1000000000;
	return true;
}

bool
core_option_max_pause(void *ctx, const char *value, bt_error_t *e)
{
	enum { LONGEST_MS = 60 * 60 * 1000, NS_PER_MS = 1000000 };
	struct core_options *o = ctx;
	uint64_t ms;

	if (text_u64(value, &ms) == false || ms == 0 || ms > LONGEST_MS)
		return bt_fail(e, BT_E_USAGE,
		    "--max-pause: '%s' is not a number of milliseconds", value);
	o->session.max_pause_ns = ms * NS_PER_MS;
	return true;
}

bool
core_option_fork(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)value;
	(void)e;
	o->session.fork = true;
	return true;
}

bool
core_option_pid(struct core_options *o, bt_error_t *e)
{
	uint64_t pid;

	if (text_u64(o->operands[0], &pid) == false || pid == 0 ||
	    pid > INT32_MAX)
		return bt_fail(
		    e, BT_E_USAGE, "'%s' is not a process id", o->operands[0]);
	o->session.pid = (int32_t)pid;
	return true;
}

bool
core_option_pretty(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)value;
	(void)e;
	o->no_pretty_print = false;
	return true;
}

bool
core_option_no_pretty(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)value;
	(void)e;
	o->no_pretty_print = true;
	return true;
}

bool
core_option_help(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)value;
	(void)e;
	o->help = true;
	return true;
}

bool
core_option_version(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	(void)value;
	(void)e;
	o->version = true;
	return true;
}

/* Existing callers add operands of their own (a reason for the crash), so one
 * more than is needed is tolerated. */
bool
core_option_operand(void *ctx, const char *value, bt_error_t *e)
{
	struct core_options *o = ctx;

	if (o->n_operands == 2)
		return bt_fail(e, BT_E_USAGE, "too many operands: '%s'", value);
	o->operands[o->n_operands++] = value;
	return true;
}

bool
core_option_tid(
    const char *option, const char *value, uint32_t *out, bt_error_t *e)
{
	uint64_t tid;

	if (text_u64(value, &tid) == false || tid == 0 || tid > INT32_MAX)
		return bt_fail(e, BT_E_USAGE, "%s: '%s' is not a thread id",
		    option, value);
	*out = (uint32_t)tid;
	return true;
}

void
core_options_finish(struct core_options *o)
{
	o->session.debug_paths = o->debug_paths.items;
	o->session.load = o->load.items;
}

void
core_options_open_cache(struct core_options *o, struct console *c)
{
	const uint64_t most = o->cache_size != 0
	    ? o->cache_size
	    : (uint64_t)CACHE_DEFAULT_GIB << 30;
	bt_error_t e;

	if (o->cache_dir == NULL)
		return;
	o->session.cache = cache_open(o->cache_dir, most, &e);
	if (o->session.cache != NULL)
		return;
	(void)bt_wrap(&e, "no cache");
	console_say(c, SESSION_WARNING, e.text);
}

void
core_options_fill_cache(struct core_options *o, struct console *c)
{
	copies_make(&o->session, &c->listener);
	cache_close(o->session.cache);
	o->session.cache = NULL;
}

void
core_options_language(struct core_options *o)
{

	compose_language(&o->language, &o->lua);
	o->session.language = &o->language;
	if (o->no_pretty_print == false &&
	    compose_shipped_dir(o->shipped_dir, sizeof(o->shipped_dir)))
		o->session.shipped_dir = o->shipped_dir;
}

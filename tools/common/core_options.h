/* SPDX-License-Identifier: MIT */
/*
 * Options that both programs have: what is examined, and where its files are.
 */
#ifndef COMMON_CORE_OPTIONS_H
#define COMMON_CORE_OPTIONS_H

#include <limits.h>

#include "common/console.h"
#include "common/options.h"
#include "lua/host.h"
#include "session/session.h"

/* First member of a program's own settings, so that one context serves. */
struct core_options {
	struct session_options session;
	struct option_list debug_paths, load;
	const char *cache_dir; /* NULL: none */
	uint64_t cache_size;   /* 0: default */
	const char *operands[2];
	int n_operands;
	bool help, version;
	bool no_pretty_print; /* without the Lua modules that come with us */
	struct lua_settings lua;
	struct module_language language;
	char shipped_dir[PATH_MAX];
};

/* For the apply column of a table; ctx is a struct core_options. */
bool core_option_core(void *ctx, const char *value, bt_error_t *e);
bool core_option_sysroot(void *ctx, const char *value, bt_error_t *e);
bool core_option_debug_path(void *ctx, const char *value, bt_error_t *e);
bool core_option_cache(void *ctx, const char *value, bt_error_t *e);
bool core_option_cache_size(void *ctx, const char *value, bt_error_t *e);
bool core_option_load(void *ctx, const char *value, bt_error_t *e);
bool core_option_force(void *ctx, const char *value, bt_error_t *e);
bool core_option_stats(void *ctx, const char *value, bt_error_t *e);
bool core_option_timeout(void *ctx, const char *value, bt_error_t *e);
bool core_option_max_pause(void *ctx, const char *value, bt_error_t *e);
bool core_option_fork(void *ctx, const char *value, bt_error_t *e);
bool core_option_pretty(void *ctx, const char *value, bt_error_t *e);
bool core_option_no_pretty(void *ctx, const char *value, bt_error_t *e);
bool core_option_no_sandbox(void *ctx, const char *value, bt_error_t *e);
bool core_option_help(void *ctx, const char *value, bt_error_t *e);
bool core_option_version(void *ctx, const char *value, bt_error_t *e);
bool core_option_operand(void *ctx, const char *value, bt_error_t *e);

/* A thread id. */
bool core_option_tid(
    const char *option, const char *value, uint32_t *out, bt_error_t *e);

/* The first operand is the id of the live process to examine. */
bool core_option_pid(struct core_options *o, bt_error_t *e);

/* Copies the lists into the session's options. */
void core_options_finish(struct core_options *o);
/* Opens the cache that was asked for; one that cannot be had is told, and done
 * without. When the result is printed, what is missing in it is made. */
void core_options_open_cache(struct core_options *o, struct console *c);
void core_options_fill_cache(struct core_options *o, struct console *c);
/* Modules in Lua may be run: their language is there, and LuaJIT is loaded, for
 * which it is too late once there is a sandbox. o->lua is set before. */
void core_options_language(struct core_options *o);

#endif /* COMMON_CORE_OPTIONS_H */

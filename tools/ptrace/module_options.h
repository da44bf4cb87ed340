/* SPDX-License-Identifier: MIT */
/*
 * The options for analysis modules.
 */
#ifndef PTRACE_MODULE_OPTIONS_H
#define PTRACE_MODULE_OPTIONS_H

#include "common/options.h"
#include "session/session.h"

struct module_settings {
	struct option_list files, dirs;
	const char *check;	      /* a module to look at; NULL: none */
	struct option_list whitelist; /* libraries of Lua */
	struct module_option *options;
	size_t n_options;
	uint64_t time_ns, total_time_ns; /* 0: default */
};

/* For the apply column; ctx is a struct ptrace_options. */
bool module_option_load(void *ctx, const char *value, bt_error_t *e);
bool module_option_check(void *ctx, const char *value, bt_error_t *e);
bool module_option_path(void *ctx, const char *value, bt_error_t *e);
bool module_option_module(void *ctx, const char *value, bt_error_t *e);
bool module_option_security(void *ctx, const char *value, bt_error_t *e);
bool module_option_stale(void *ctx, const char *value, bt_error_t *e);
bool module_option_whitelist(void *ctx, const char *value, bt_error_t *e);
bool module_option_timeout(void *ctx, const char *value, bt_error_t *e);
bool module_option_total_timeout(void *ctx, const char *value, bt_error_t *e);

struct core_options;

void module_settings_finish(struct module_settings *m, struct core_options *o);

#endif /* PTRACE_MODULE_OPTIONS_H */

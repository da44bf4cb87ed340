/* SPDX-License-Identifier: MIT */
/*
 * Analysis modules in Lua: LuaJIT's interpreter as a language of the module
 * loader. The dialect is Lua 5.1 with LuaJIT's extensions.
 *
 * A module cannot bring the host down by what it does in Lua: its libraries
 * are an allow-list, its memory and time are capped, and every entry into it
 * is a protected call. What never returns to the interpreter (a pattern that
 * backtracks for ever) is ended together with the worker.
 */
#ifndef LUA_HOST_H
#define LUA_HOST_H

#include "module/loader.h"

struct lua_settings {
	const char *const *whitelist; /* NULL, or ends with NULL */
	uint64_t time_ns;	      /* for each module; 0: default */
	uint64_t memory;	      /* bytes for each module; 0: default */
};

/* settings is kept and must outlive the modules. */
void lua_language_init(
    struct module_language *out, struct lua_settings *settings);

/* A library that a user may allow; names is "ffi, io, ...". */
bool lua_is_library(const char *name);
extern const char lua_libraries[];

#endif /* LUA_HOST_H */

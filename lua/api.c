/* SPDX-License-Identifier: MIT */
/*
 * Loading LuaJIT.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>

#define LUA_API_NO_NAMES
#include "lua/api.h"

static const struct {
	const char *name;
	size_t at;
} names[] = {
#define ROW(NAME) {#NAME, offsetof(struct lua_functions, NAME)},
    LUA_FUNCTIONS(ROW)
#undef ROW
};

_Alignas(LUA_API_PAGE) union lua_api lua_api;

/* NULL: all of them are there. */
static const char *
load(void)
{
	static char missing[96];
	void *library = dlopen(INQUEST_LUAJIT_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		return dlerror();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		void *function = dlsym(library, names[i].name);

		if (function == NULL) {
			(void)snprintf(missing, sizeof(missing),
			    INQUEST_LUAJIT_SONAME " has no %s", names[i].name);
			return missing;
		}
		memcpy(lua_api.page + names[i].at, &function, sizeof(function));
	}
	/* Where pages are larger it stays as it is. */
	(void)mprotect(&lua_api, sizeof(lua_api), PROT_READ);
	return NULL;
}

bool
lua_api_load(bt_error_t *e)
{
	static bool tried;
	static char why[256];

	if (!tried) {
		const char *failed = load();

		tried = true;
		(void)snprintf(
		    why, sizeof(why), "%s", failed != NULL ? failed : "");
	}
	return why[0] == '\0' ||
	    bt_fail(e, BT_E_UNSUPPORTED,
		"Lua modules need LuaJIT, which cannot be loaded: %s", why);
}

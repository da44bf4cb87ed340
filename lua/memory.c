/* SPDX-License-Identifier: MIT */
/*
 * pmap (one mapping) and siginfo in Lua.
 */
#include "lua/lua_private.h"

enum { /* pmodule.pmap_perms */
	PERM_PRIVATE = 8,
	PERM_SHARED = 16
};

static const struct target_mapping *
pmap(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_PMAP);
}

/* A guard page: memory that nobody may touch. */
static int
pmap_guard(lua_State *L)
{

	lua_pushboolean(
	    L, (pmap(L)->perms & (TARGET_R | TARGET_W | TARGET_X)) == 0);
	return 1;
}

static int
pmap_permissions(lua_State *L)
{
	const struct target_mapping *m = pmap(L);
	uint32_t has = m->perms & (TARGET_R | TARGET_W | TARGET_X);
	bool all = true;

	has |= (m->perms & TARGET_SHARED) != 0 ? PERM_SHARED : PERM_PRIVATE;
	for (int i = 2; i == 2 || i <= lua_gettop(L); i++) {
		unsigned flag = lua_check_constant(L, i, 1, 31, "pmap_perms");

		all = all && (has & flag) == flag;
	}
	lua_pushboolean(L, all);
	return 1;
}

static const struct target_signal *
siginfo(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_SIGINFO);
}

/* What the kernel says about the cause, and whether a process sent it. */
static int
siginfo_reason(lua_State *L)
{
	const struct target_signal *s = siginfo(L);
	const char *name =
	    s->has_info ? ptrace_signal_code_name(s->number, s->code) : NULL;

	if (name != NULL)
		lua_pushstring(L, name);
	else
		lua_pushfstring(L, "code %d", s->code);
	lua_pushboolean(L, s->has_sender);
	return 2;
}

static int
siginfo_address_populated(lua_State *L)
{

	lua_pushboolean(L, siginfo(L)->has_address);
	return 1;
}

static int
siginfo_address(lua_State *L)
{
	const struct target_signal *s = siginfo(L);

	lua_push_u64(L, s->has_address ? s->address : 0);
	return 1;
}

static int
siginfo_num(lua_State *L)
{

	lua_pushinteger(L, siginfo(L)->number);
	return 1;
}

static int
siginfo_code(lua_State *L)
{

	lua_pushinteger(L, siginfo(L)->code);
	return 1;
}

static int
siginfo_tostring(lua_State *L)
{
	const struct target_signal *s = siginfo(L);
	const char *name = ptrace_signal_name(s->number);

	if (name != NULL)
		lua_pushstring(L, name);
	else
		lua_pushfstring(L, "signal %d", s->number);
	return 1;
}

void
lua_memory_open(lua_State *L)
{
	static const luaL_Reg pmap_methods[] = {
	    {"guard", pmap_guard},
	    {"permissions", pmap_permissions},
	    {NULL, NULL},
	};
	static const luaL_Reg siginfo_methods[] = {
	    {"reason", siginfo_reason},
	    {"address_populated", siginfo_address_populated},
	    {"address", siginfo_address},
	    {"num", siginfo_num},
	    {"code", siginfo_code},
	    {"tostring", siginfo_tostring},
	    {NULL, NULL},
	};

	lua_class_open(L, LUA_PMAP, pmap_methods, NULL, NULL);
	lua_class_open(L, LUA_SIGINFO, siginfo_methods, NULL, NULL);
	luaL_getmetatable(L, "siginfo");
	lua_pushcfunction(L, siginfo_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pop(L, 1);
}

/* SPDX-License-Identifier: MIT */
/*
 * match in Lua. Methods that add a criterion give the match back, so that they
 * can be chained.
 */
#include "lua/lua_private.h"

static pmodule_match_t *
match(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_MATCH);
}

static enum pmodule_match_type
check_type(lua_State *L, int index)
{

	if (lua_isnoneornil(L, index))
		return PMODULE_MATCH_EXACT;
	return (enum pmodule_match_type)lua_check_constant(
	    L, index, PMODULE_MATCH_EXACT, PMODULE_MATCH_SUBSTR, "match_type");
}

static int
add(lua_State *L,
    bool (*fn)(pmodule_match_t *, const char *, enum pmodule_match_type))
{
	pmodule_match_t *m = match(L);
	const char *text = luaL_checkstring(L, 2);

	if (fn(m, text, check_type(L, 3)) == false)
		return luaL_error(L, "too many criteria");
	lua_settop(L, 1);
	return 1;
}

static int
match_reset(lua_State *L)
{

	pmodule_match_reset(match(L));
	lua_settop(L, 1);
	return 1;
}

static int
match_add_object(lua_State *L)
{

	return add(L, pmodule_match_add_object);
}

static int
match_add_file(lua_State *L)
{

	return add(L, pmodule_match_add_file);
}

static int
match_add_frame_symbol(lua_State *L)
{

	return add(L, pmodule_match_add_frame_symbol);
}

static int
match_add_base_type(lua_State *L)
{

	return add(L, pmodule_match_add_variable_base_type);
}

static int
match_add_variable_name(lua_State *L)
{

	return add(L, pmodule_match_add_variable_name);
}

static int
match_add_ptrace_type(lua_State *L)
{
	pmodule_match_t *m = match(L);
	unsigned type = lua_check_constant(
	    L, 2, PTRACE_TYPE_LL, PTRACE_TYPE_REFERENCE, "variable_type");

	if (pmodule_match_add_variable_ptrace_type(
		m, (enum ptrace_variable_type)type) == false)
		return luaL_error(L, "too many criteria");
	lua_settop(L, 1);
	return 1;
}

static int
match_set_fault(lua_State *L)
{

	pmodule_match_set_fault(match(L), lua_toboolean(L, 2) != 0);
	lua_settop(L, 1);
	return 1;
}

static int
match_gc(lua_State *L)
{
	void **place = lua_touserdata(L, 1);

	pmodule_match_destroy(*place);
	*place = NULL;
	return 0;
}

void
lua_match_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"reset", match_reset},
	    {"add_object", match_add_object},
	    {"add_file", match_add_file},
	    {"add_frame_symbol", match_add_frame_symbol},
	    {"add_variable_base_type", match_add_base_type},
	    {"add_base_type", match_add_base_type},
	    {"add_variable_ptrace_type", match_add_ptrace_type},
	    {"add_variable_name", match_add_variable_name},
	    {"set_fault", match_set_fault},
	    {NULL, NULL},
	};

	lua_class_open(L, LUA_MATCH, methods, match_gc, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * LuaJIT's own functions, from its shared library, which is loaded when they
 * are needed: bt --no-variables, say, runs no module. They are called by their
 * names, as if we were linked to it. Each that is used is in both lists below:
 * without the first it does not compile, without the second it does not link.
 */
#ifndef LUA_API_H
#define LUA_API_H

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>

#include "base/error.h"

/* clang-format off */
#define LUA_FUNCTIONS(F) \
	F(luaJIT_setmode) \
	F(luaL_argerror) \
	F(luaL_buffinit) \
	F(luaL_checkinteger) \
	F(luaL_checklstring) \
	F(luaL_checknumber) \
	F(luaL_checktype) \
	F(luaL_error) \
	F(luaL_getmetafield) \
	F(luaL_loadbuffer) \
	F(luaL_newmetatable) \
	F(luaL_optinteger) \
	F(luaL_optlstring) \
	F(luaL_prepbuffer) \
	F(luaL_pushresult) \
	F(luaL_ref) \
	F(luaL_traceback) \
	F(luaL_unref) \
	F(luaL_where) \
	F(lua_call) \
	F(lua_close) \
	F(lua_concat) \
	F(lua_cpcall) \
	F(lua_createtable) \
	F(lua_error) \
	F(lua_getallocf) \
	F(lua_getfield) \
	F(lua_getinfo) \
	F(lua_getmetatable) \
	F(lua_getstack) \
	F(lua_gettop) \
	F(lua_insert) \
	F(lua_isstring) \
	F(lua_newstate) \
	F(lua_newuserdata) \
	F(lua_next) \
	F(lua_objlen) \
	F(lua_pcall) \
	F(lua_pushboolean) \
	F(lua_pushcclosure) \
	F(lua_pushfstring) \
	F(lua_pushinteger) \
	F(lua_pushlightuserdata) \
	F(lua_pushlstring) \
	F(lua_pushnil) \
	F(lua_pushnumber) \
	F(lua_pushstring) \
	F(lua_pushvalue) \
	F(lua_rawgeti) \
	F(lua_rawseti) \
	F(lua_remove) \
	F(lua_replace) \
	F(lua_setfield) \
	F(lua_sethook) \
	F(lua_setmetatable) \
	F(lua_settable) \
	F(lua_settop) \
	F(lua_toboolean) \
	F(lua_tointeger) \
	F(lua_tolstring) \
	F(lua_tonumber) \
	F(lua_topointer) \
	F(lua_touserdata) \
	F(lua_type) \
	F(lua_typename) \
	F(luaopen_base) \
	F(luaopen_bit) \
	F(luaopen_debug) \
	F(luaopen_ffi) \
	F(luaopen_io) \
	F(luaopen_jit) \
	F(luaopen_math) \
	F(luaopen_os) \
	F(luaopen_package) \
	F(luaopen_string) \
	F(luaopen_table)
/* clang-format on */

struct lua_functions {
#define MEMBER(NAME) __typeof__(NAME) *NAME;
	LUA_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Alone in its page, which is read-only once they are there. */
enum { LUA_API_PAGE = 4096 };
union lua_api {
	struct lua_functions functions;
	char page[LUA_API_PAGE];
};
extern union lua_api lua_api;

/* Loads the library, once; before the sandbox, where no file can be opened.
 * False, with *e (which may be NULL), as often as it is asked: it is not to be
 * had. By one thread at a time. */
bool lua_api_load(bt_error_t *e) BT_CHECK;

#ifndef LUA_API_NO_NAMES
#define luaJIT_setmode lua_api.functions.luaJIT_setmode
#define luaL_argerror lua_api.functions.luaL_argerror
#define luaL_buffinit lua_api.functions.luaL_buffinit
#define luaL_checkinteger lua_api.functions.luaL_checkinteger
#define luaL_checklstring lua_api.functions.luaL_checklstring
#define luaL_checknumber lua_api.functions.luaL_checknumber
#define luaL_checktype lua_api.functions.luaL_checktype
#define luaL_error lua_api.functions.luaL_error
#define luaL_getmetafield lua_api.functions.luaL_getmetafield
#define luaL_loadbuffer lua_api.functions.luaL_loadbuffer
#define luaL_newmetatable lua_api.functions.luaL_newmetatable
#define luaL_optinteger lua_api.functions.luaL_optinteger
#define luaL_optlstring lua_api.functions.luaL_optlstring
#define luaL_prepbuffer lua_api.functions.luaL_prepbuffer
#define luaL_pushresult lua_api.functions.luaL_pushresult
#define luaL_ref lua_api.functions.luaL_ref
#define luaL_traceback lua_api.functions.luaL_traceback
#define luaL_unref lua_api.functions.luaL_unref
#define luaL_where lua_api.functions.luaL_where
#define lua_call lua_api.functions.lua_call
#define lua_close lua_api.functions.lua_close
#define lua_concat lua_api.functions.lua_concat
#define lua_cpcall lua_api.functions.lua_cpcall
#define lua_createtable lua_api.functions.lua_createtable
#define lua_error lua_api.functions.lua_error
#define lua_getallocf lua_api.functions.lua_getallocf
#define lua_getfield lua_api.functions.lua_getfield
#define lua_getinfo lua_api.functions.lua_getinfo
#define lua_getmetatable lua_api.functions.lua_getmetatable
#define lua_getstack lua_api.functions.lua_getstack
#define lua_gettop lua_api.functions.lua_gettop
#define lua_insert lua_api.functions.lua_insert
#define lua_isstring lua_api.functions.lua_isstring
#define lua_newstate lua_api.functions.lua_newstate
#define lua_newuserdata lua_api.functions.lua_newuserdata
#define lua_next lua_api.functions.lua_next
#define lua_objlen lua_api.functions.lua_objlen
#define lua_pcall lua_api.functions.lua_pcall
#define lua_pushboolean lua_api.functions.lua_pushboolean
#define lua_pushcclosure lua_api.functions.lua_pushcclosure
#define lua_pushfstring lua_api.functions.lua_pushfstring
#define lua_pushinteger lua_api.functions.lua_pushinteger
#define lua_pushlightuserdata lua_api.functions.lua_pushlightuserdata
#define lua_pushlstring lua_api.functions.lua_pushlstring
#define lua_pushnil lua_api.functions.lua_pushnil
#define lua_pushnumber lua_api.functions.lua_pushnumber
#define lua_pushstring lua_api.functions.lua_pushstring
#define lua_pushvalue lua_api.functions.lua_pushvalue
#define lua_rawgeti lua_api.functions.lua_rawgeti
#define lua_rawseti lua_api.functions.lua_rawseti
#define lua_remove lua_api.functions.lua_remove
#define lua_replace lua_api.functions.lua_replace
#define lua_setfield lua_api.functions.lua_setfield
#define lua_sethook lua_api.functions.lua_sethook
#define lua_setmetatable lua_api.functions.lua_setmetatable
#define lua_settable lua_api.functions.lua_settable
#define lua_settop lua_api.functions.lua_settop
#define lua_toboolean lua_api.functions.lua_toboolean
#define lua_tointeger lua_api.functions.lua_tointeger
#define lua_tolstring lua_api.functions.lua_tolstring
#define lua_tonumber lua_api.functions.lua_tonumber
#define lua_topointer lua_api.functions.lua_topointer
#define lua_touserdata lua_api.functions.lua_touserdata
#define lua_type lua_api.functions.lua_type
#define lua_typename lua_api.functions.lua_typename
#define luaopen_base lua_api.functions.luaopen_base
#define luaopen_bit lua_api.functions.luaopen_bit
#define luaopen_debug lua_api.functions.luaopen_debug
#define luaopen_ffi lua_api.functions.luaopen_ffi
#define luaopen_io lua_api.functions.luaopen_io
#define luaopen_jit lua_api.functions.luaopen_jit
#define luaopen_math lua_api.functions.luaopen_math
#define luaopen_os lua_api.functions.luaopen_os
#define luaopen_package lua_api.functions.luaopen_package
#define luaopen_string lua_api.functions.luaopen_string
#define luaopen_table lua_api.functions.luaopen_table
#endif

#endif /* LUA_API_H */

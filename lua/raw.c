/* SPDX-License-Identifier: MIT */
/*
 * bt_variable and bt_type in Lua: the debugger's view. A member is had by its
 * name, so everything else that one may want of a raw variable is a function
 * of pmodule.
 */
#include <math.h>

#include "lua/lua_private.h"

/* ---- bt_variable ---- */

void
lua_push_raw(lua_State *L, const bt_variable_t *v)
{
	bt_variable_t *room = lua_new_object(L, LUA_RAW, sizeof(*room));

	*room = *v;
}

/* The i-th element of an array, or p[i]; nil: there is no such thing. */
static int
raw_element(lua_State *L)
{
	bt_variable_t *v = lua_check_object(L, 1, LUA_RAW), out;
	lua_Number i = lua_tonumber(L, 2);

	/* Also when it is none, and before the conversion, which is undefined
	 * for what does not fit. */
	if (!(fabs(i) < 0x1p63) || i != (lua_Number)(int64_t)i)
		return luaL_argerror(L, 2, "an integer expected");
	if (bt_variable_element(&out, v, (int64_t)i, NULL))
		lua_push_raw(L, &out);
	else
		lua_pushnil(L);
	return 1;
}

/* var.member, through pointers; var[i]; nil: there is none. */
static int
raw_index(lua_State *L)
{
	bt_variable_t *v = lua_check_object(L, 1, LUA_RAW);
	const char *name = NULL;
	struct module_host *host = lua_backtrace(L)->host;
	const struct value_raw *raw = module_raw(v);
	struct value_raw member;
	bt_variable_t out;

	if (lua_type(L, 2) == LUA_TNUMBER)
		return raw_element(L);
	name = luaL_checkstring(L, 2);
	if (raw == NULL ||
	    value_raw_member(raw, name, &member, NULL) == false) {
		lua_pushnil(L);
		return 1;
	}
	module_raw_set(host, &out, &member);
	lua_push_raw(L, &out);
	return 1;
}

static int
raw_assign(lua_State *L)
{

	return luaL_error(L, "a bt_variable cannot be assigned to");
}

static int
deref(lua_State *L)
{
	bt_variable_t *raw = lua_check_object(L, 1, LUA_RAW), out;
	bt_error_t e = {.text = "cannot be followed"};
	bool done;

	if (lua_isnoneornil(L, 2))
		done = bt_variable_deref(&out, raw, &e);
	else
		done = bt_variable_type_deref_at(
		    &out, raw, raw->type, lua_check_u64(L, 2));
	if (done == false)
		return luaL_error(L, "deref: %s", e.text);
	lua_push_raw(L, &out);
	return 1;
}

static int
size_of(lua_State *L)
{
	bt_variable_t *raw = lua_check_object(L, 1, LUA_RAW);

	lua_push_u64(L, bt_variable_sizeof(raw));
	return 1;
}

/* cast(raw, type[, address]): what lies there, taken as that type. */
static int
cast(lua_State *L)
{
	bt_variable_t *raw = lua_check_object(L, 1, LUA_RAW), out;
	struct bt_type *type = *(void **)lua_check_object(L, 2, LUA_TYPE);
	bt_addr_t address;

	if (lua_isnoneornil(L, 3) == 0)
		address = lua_check_u64(L, 3);
	else if (bt_variable_address(raw, &address) == false)
		return luaL_error(L, "cast: it is not in memory");
	if (bt_variable_type_deref_at(&out, raw, type, address) == false)
		return luaL_error(L, "cast: the variable is none");
	lua_push_raw(L, &out);
	return 1;
}

/* field(raw, i), i from 0: the member, its name, whether it is a base class. */
static int
field(lua_State *L)
{
	bt_variable_t *v = lua_check_object(L, 1, LUA_RAW), out;
	lua_Integer i = luaL_checkinteger(L, 2);
	bool is_base;

	if (i < 0 || i > INT32_MAX ||
	    bt_variable_field(&out, v, (unsigned)i, &is_base) == false)
		return 0;
	lua_push_raw(L, &out);
	lua_pushstring(L, out.name);
	lua_pushboolean(L, is_base);
	return 3;
}

/* Pointers and what is unsigned as such, all else with its sign; nil: it is no
 * number, or cannot be had. */
static int
number(lua_State *L)
{
	bt_variable_t *v = lua_check_object(L, 1, LUA_RAW);
	const struct value_raw *raw = module_raw(v);
	uint64_t value;

	if (bt_variable_number(v, &value, NULL) == false)
		lua_pushnil(L);
	else if (value_shape_kind(raw->shape) == VALUE_RAW_INT ||
	    value_shape_kind(raw->shape) == VALUE_RAW_ENUM)
		lua_push_i64(L, (int64_t)value);
	else
		lua_push_u64(L, value);
	return 1;
}

static int
address(lua_State *L)
{
	bt_addr_t at;

	if (bt_variable_address(lua_check_object(L, 1, LUA_RAW), &at))
		lua_push_u64(L, at);
	else
		lua_pushnil(L);
	return 1;
}

/* ---- bt_type ---- */

static struct bt_type *
type(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_TYPE);
}

static int
type_of(lua_State *L)
{

	lua_push_object(
	    L, LUA_TYPE, bt_variable_bt_type(lua_check_object(L, 1, LUA_RAW)));
	return 1;
}

static int
type_name(lua_State *L)
{

	lua_pushstring(L, type(L)->name);
	return 1;
}

static int
type_size(lua_State *L)
{

	lua_push_u64(L, type(L)->size);
	return 1;
}

static int
type_base(lua_State *L)
{

	lua_push_object(L, LUA_TYPE, bt_type_base(type(L)));
	return 1;
}

static int
type_target(lua_State *L)
{

	lua_push_object(L, LUA_TYPE, bt_type_target(type(L)));
	return 1;
}

/* A type or a number; nil: there is none. */
static int
template_argument(lua_State *L)
{
	struct bt_type *t = type(L);
	lua_Integer n = luaL_checkinteger(L, 2);
	int64_t value;

	if (n < 0 || n > INT32_MAX)
		lua_pushnil(L);
	else if (bt_type_template_value(t, (unsigned)n, &value))
		lua_push_i64(L, value);
	else
		lua_push_object(
		    L, LUA_TYPE, bt_type_template_type(t, (unsigned)n));
	return 1;
}

/* A class of that name in the same debug information; nil: there is none. */
static int
type_find(lua_State *L)
{

	lua_push_object(L, LUA_TYPE,
	    pmodule_cpp_get_bt_type_from_name(
		type(L)->dwarf, luaL_checkstring(L, 2)));
	return 1;
}

/* template_argument("T<A, B>", n), n from 0: the text; nil: there is none. */
static int
argument_text(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	lua_Integer n = luaL_checkinteger(L, 2);
	const char *copy;
	char *text;

	if (n < 0 || n > INT32_MAX ||
	    pmodule_cpp_template_nth_argument(&text, name, (unsigned)n) ==
		false) {
		lua_pushnil(L);
		return 1;
	}
	/* Nothing is held while Lua may raise an error. */
	copy = snapshot_string(lua_backtrace(L)->host->snapshot, text);
	free(text);
	lua_pushstring(L, copy);
	return 1;
}

/* ---- the tables ---- */

static const luaL_Reg type_methods[] = {
    {"name", type_name},
    {"size", type_size},
    {"base", type_base},
    {"target", type_target},
    {"template_argument", template_argument},
    {"find", type_find},
    {NULL, NULL},
};

void
lua_raw_open(lua_State *L)
{

	lua_class_open(L, LUA_RAW, NULL, NULL, NULL);
	luaL_getmetatable(L, "bt_variable");
	lua_pushcfunction(L, raw_index);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, raw_assign);
	lua_setfield(L, -2, "__newindex");
	lua_pushnil(L);
	lua_setfield(L, -2, "__eq");
	lua_pop(L, 1);
	lua_class_open(L, LUA_TYPE, type_methods, NULL, NULL);
}

void
lua_raw_functions(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"deref", deref},
	    {"sizeof", size_of},
	    {"cast", cast},
	    {"field", field},
	    {"number", number},
	    {"address", address},
	    {"type", type_of},
	    {"template_argument", argument_text},
	    {NULL, NULL},
	};

	for (const luaL_Reg *f = functions; f->name != NULL; f++) {
		lua_pushcfunction(L, f->func);
		lua_setfield(L, -2, f->name);
	}
}

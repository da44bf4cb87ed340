/* SPDX-License-Identifier: MIT */
/*
 * pmodule.constraint: what a function expects of its arguments, as a table.
 *
 *	pmodule.constraint {
 *	  symbol = "copy_name",
 *	  { name = "to", kind = "write", count = "size" },
 *	  { name = "from", kind = "string" },
 *	  { name = "size", kind = "number", max = 4096 },
 *	}
 */
#include "lua/lua_private.h"

static const char *const kinds[] = {
    [PMODULE_ARGUMENT_ANY] = "any",
    [PMODULE_ARGUMENT_READ] = "read",
    [PMODULE_ARGUMENT_WRITE] = "write",
    [PMODULE_ARGUMENT_UPDATE] = "update",
    [PMODULE_ARGUMENT_STRING] = "string",
    [PMODULE_ARGUMENT_FUNCTION] = "function",
    [PMODULE_ARGUMENT_NUMBER] = "number",
};

static const struct field {
	const char *name;
	int type;
} fields[] = {
    {"name", LUA_TSTRING},
    {"kind", LUA_TSTRING},
    {"count", LUA_TSTRING},
    {"unit", LUA_TNUMBER},
    {"null", LUA_TBOOLEAN},
    {"min", LUA_TNUMBER},
    {"max", LUA_TNUMBER},
};

/* A slip in a name would make a rule that never fires. */
static void
check_fields(lua_State *L, int table, int i)
{
	for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
		const char *name =
		    lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
		size_t f = 0, n = sizeof(fields) / sizeof(*fields);

		while (f < n && strcmp(fields[f].name, name) != 0)
			f++;
		if (f == n)
			(void)luaL_error(L,
			    "pmodule.constraint: argument %d has no field '%s'",
			    i, name);
		if (lua_type(L, -1) != fields[f].type)
			(void)luaL_error(L,
			    "pmodule.constraint: %s of argument %d is a %s, "
			    "no %s",
			    name, i, luaL_typename(L, -1),
			    lua_typename(L, fields[f].type));
	}
}

static const char *
text_field(lua_State *L, int table, const char *name)
{
	const char *text;

	lua_getfield(L, table, name);
	text = lua_tostring(L, -1);
	lua_pop(L, 1); /* the table keeps it */
	return text;
}

static int64_t
number_field(lua_State *L, int table, const char *name)
{
	lua_Number number;

	lua_getfield(L, table, name);
	number = lua_tonumber(L, -1);
	lua_pop(L, 1);
	/* Beyond 2^53 a number of Lua is not exact. */
	if (!(number <= 9e15 && number >= -9e15))
		(void)luaL_error(
		    L, "pmodule.constraint: %s is too large", name);
	return (int64_t)number;
}

static uint32_t
kind_of(lua_State *L, int table, int i)
{
	const char *text = text_field(L, table, "kind");

	if (text == NULL)
		return PMODULE_ARGUMENT_ANY;
	for (uint32_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
		if (strcmp(kinds[k], text) == 0)
			return k;
	(void)luaL_error(L,
	    "pmodule.constraint: kind '%s' of argument %d is none of any, "
	    "read, write, update, string, function, number",
	    text, i);
	return 0;
}

static void
read_argument(lua_State *L, int table, int i, pmodule_argument_t *out)
{
	int64_t unit;

	luaL_checktype(L, table, LUA_TTABLE);
	check_fields(L, table, i);
	out->name = text_field(L, table, "name");
	out->kind = kind_of(L, table, i);
	unit = number_field(L, table, "unit");
	if (unit < 0 || unit > UINT32_MAX)
		(void)luaL_error(
		    L, "pmodule.constraint: unit of argument %d", i);
	out->unit = (uint32_t)unit;
	lua_getfield(L, table, "null");
	out->null_allowed = lua_toboolean(L, -1) != 0;
	lua_pop(L, 1);
	out->minimum = number_field(L, table, "min");
	out->maximum = number_field(L, table, "max");
	out->count = -1;
}

/* Arguments are counted by the one of that name. */
static void
find_count(lua_State *L, int table, int i, pmodule_constraint_t *c)
{
	const char *count = text_field(L, table, "count");

	for (uint32_t j = 0; count != NULL && j < c->n_arguments; j++)
		if (c->arguments[j].name != NULL &&
		    strcmp(c->arguments[j].name, count) == 0)
			c->arguments[i].count = (int32_t)j;
	if (count != NULL && c->arguments[i].count < 0)
		(void)luaL_error(
		    L, "pmodule.constraint: there is no argument '%s'", count);
}

int
lua_constraint(lua_State *L)
{
	struct lua_module *m = lua_module_of(L);
	pmodule_constraint_t c = PMODULE_CONSTRAINT_INIT;
	int n;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	c.function = text_field(L, 1, "symbol");
	if (c.function == NULL)
		return luaL_error(L, "pmodule.constraint: symbol is missing");
	n = (int)lua_objlen(L, 1);
	if (n < 1 || n > PMODULE_ARGUMENTS_MAX)
		return luaL_error(L,
		    "pmodule.constraint: %d arguments; a rule has 1 to %d", n,
		    PMODULE_ARGUMENTS_MAX);
	c.n_arguments = (uint32_t)n;
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, 1, i + 1);
		read_argument(L, 2, i + 1, &c.arguments[i]);
		lua_settop(L, 1);
	}
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, 1, i + 1);
		find_count(L, 2, i, &c);
		lua_settop(L, 1);
	}
	if (m->pm == NULL)
		return luaL_error(L, "pmodule.constraint: call it from load");
	if (pmodule_constraint_add(m->pm, &c) == false)
		return luaL_error(L,
		    "pmodule.constraint: the rule for '%s' cannot be added",
		    c.function);
	return 0;
}

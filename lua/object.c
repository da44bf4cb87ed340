/* SPDX-License-Identifier: MIT */
/*
 * Objects in Lua: one metatable for each class, methods by name, and an error
 * that helps for a name that is none.
 */
#include "lua/lua_private.h"

static const char *const class_names[LUA_CLASS__COUNT] = {
    [LUA_BACKTRACE] = "backtrace",
    [LUA_THREAD] = "thread",
    [LUA_FRAME] = "frame",
    [LUA_VARIABLE] = "variable",
    [LUA_RAW] = "bt_variable",
    [LUA_MATCH] = "match",
    [LUA_PMAP] = "pmap",
    [LUA_SIGINFO] = "siginfo",
    [LUA_TYPE] = "bt_type",
};

/* Behind what an object holds: the snapshot that it belongs to. */
struct mark {
	const uint32_t *now; /* the host's count; NULL: belongs to none */
	uint32_t generation;
	bool owned; /* it ends with the object */
};

static struct mark *
mark_of(lua_State *L, int index)
{
	char *room = lua_touserdata(L, index);

	return (struct mark *)(void *)(room + lua_objlen(L, index) -
	    sizeof(struct mark));
}

/* The size is that of pointers or of structs of 8-byte words. */
void *
lua_new_object(lua_State *L, enum lua_class class, size_t size)
{
	const struct lua_module *m = lua_module_of(L);
	void *room = lua_newuserdata(L, size + sizeof(struct mark));
	struct mark *mark = mark_of(L, -1);

	memset(room, 0, size + sizeof(struct mark));
	if (class != LUA_MATCH && m->pm != NULL) {
		mark->now = &m->pm->host->generation;
		mark->generation = *mark->now;
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, lua_module_of(L)->classes[class]);
	lua_setmetatable(L, -2);
	return room;
}

static bool
is_stale(lua_State *L, int index)
{
	const struct mark *m = mark_of(L, index);

	return m->now != NULL && m->generation != *m->now;
}

void
lua_own(lua_State *L, int index)
{

	mark_of(L, index)->owned = true;
}

bool
lua_owns(lua_State *L, int index)
{

	return mark_of(L, index)->owned;
}

void
lua_push_object(lua_State *L, enum lua_class class, void *handle)
{

	if (handle == NULL)
		lua_pushnil(L);
	else
		*(void **)lua_new_object(L, class, sizeof(handle)) = handle;
}

/* "frame" and not "userdata". */
const char *
lua_kind(lua_State *L, int index)
{
	const char *name = luaL_typename(L, index);

	if (lua_type(L, index) == LUA_TUSERDATA &&
	    luaL_getmetafield(L, index, "__metatable") != 0 &&
	    lua_isstring(L, -1))
		name = lua_tostring(L, -1);
	return name;
}

void *
lua_test_object(lua_State *L, int index, enum lua_class class)
{
	void *room = lua_touserdata(L, index);
	bool fits = false;

	if (room != NULL && lua_getmetatable(L, index)) {
		fits = lua_topointer(L, -1) ==
		    lua_module_of(L)->metatables[class];
		lua_pop(L, 1);
	}
	if (fits && is_stale(L, index))
		(void)luaL_error(L,
		    "this %s belongs to an earlier snapshot: objects end with "
		    "the snapshot they are of (see reset of pmodule.define)",
		    class_names[class]);
	return fits ? room : NULL;
}

void *
lua_check_object(lua_State *L, int index, enum lua_class class)
{
	void *room = lua_test_object(L, index, class);

	if (room == NULL)
		(void)luaL_argerror(L, index,
		    lua_pushfstring(L, "%s expected, got %s",
			class_names[class], lua_kind(L, index)));
	return room;
}

void *
lua_optional_object(lua_State *L, int index, enum lua_class class)
{

	return lua_isnoneornil(L, index) ? NULL
					 : lua_check_object(L, index, class);
}

/* ---- names ---- */

enum { NAME_MAX_BYTES = 40 };

/* Edits from one name to the other (insert, delete, replace). */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_BYTES + 1];
	size_t n = strlen(b), i = 0;

	if (n > NAME_MAX_BYTES || strlen(a) > NAME_MAX_BYTES)
		return NAME_MAX_BYTES;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (; a[i] != '\0'; i++) {
		unsigned corner = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 1; j <= n; j++) {
			unsigned best = corner + (a[i] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

void
lua_push_suggestion(lua_State *L, const char *what, const char *owner,
    const char *name, int names)
{
	const char *space = owner[0] != '\0' ? " " : "";
	const char *best = NULL;
	unsigned least = 3;

	for (lua_pushnil(L); lua_next(L, names) != 0; lua_pop(L, 1)) {
		const char *known =
		    lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		unsigned d = known != NULL ? distance(name, known) : least;

		if (d < least) {
			least = d;
			best = known;
		}
	}
	if (best != NULL)
		lua_pushfstring(L, "no %s '%s'%s%s; did you mean '%s'?", what,
		    name, space, owner, best);
	else
		lua_pushfstring(L, "no %s '%s'%s%s", what, name, space, owner);
}

int
lua_suggest(lua_State *L, const char *what, const char *owner, const char *name,
    int names)
{

	luaL_where(L, 1);
	lua_push_suggestion(L, what, owner, name, names);
	lua_concat(L, 2);
	return lua_error(L);
}

/* The methods of all classes, into the set at an index. */
void
lua_add_methods(lua_State *L, int set)
{
	for (unsigned i = 0; i < LUA_CLASS__COUNT; i++) {
		luaL_getmetatable(L, class_names[i]);
		lua_getfield(L, -1, "__index");
		for (lua_pushnil(L);
		     lua_istable(L, -2) && lua_next(L, -2) != 0;) {
			lua_pop(L, 1);
			lua_pushvalue(L, -1);
			lua_pushboolean(L, 1);
			lua_settable(L, set);
		}
		lua_settop(L, set);
	}
}

/* The first argument is the table of methods: Lua finds those that are there
 * by itself, without a call. Upvalue: the name of the class. */
static int
unknown_method(lua_State *L)
{
	const char *name = luaL_checkstring(L, 2);

	return lua_suggest(L, "method",
	    lua_pushfstring(L, "on %s", lua_tostring(L, lua_upvalueindex(1))),
	    name, 1);
}

static int
no_assignment(lua_State *L)
{

	return luaL_error(L, "%s cannot be assigned to",
	    lua_tostring(L, lua_upvalueindex(1)));
}

static int
is_same(lua_State *L)
{
	void *const *a = lua_touserdata(L, 1), *const *b = lua_touserdata(L, 2);

	lua_pushboolean(L, a != NULL && b != NULL && *a == *b);
	return 1;
}

void
lua_class_open(lua_State *L, enum lua_class class, const luaL_Reg *methods,
    lua_CFunction gc, lua_CFunction call)
{
	const char *name = class_names[class];

	(void)luaL_newmetatable(L, name);
	lua_module_of(L)->metatables[class] = lua_topointer(L, -1);
	lua_pushvalue(L, -1);
	lua_module_of(L)->classes[class] = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushstring(L, name);
	lua_setfield(L, -2, "__metatable");
	lua_pushstring(L, name);
	lua_pushcclosure(L, no_assignment, 1);
	lua_setfield(L, -2, "__newindex");
	lua_pushcfunction(L, is_same);
	lua_setfield(L, -2, "__eq");
	if (gc != NULL) {
		lua_pushcfunction(L, gc);
		lua_setfield(L, -2, "__gc");
	}
	if (call != NULL) {
		lua_pushcfunction(L, call);
		lua_setfield(L, -2, "__call");
	}
	if (methods != NULL) {
		lua_newtable(L);
		for (; methods->name != NULL; methods++) {
			lua_pushcfunction(L, methods->func);
			lua_setfield(L, -2, methods->name);
		}
		lua_newtable(L);
		lua_pushstring(L, name);
		lua_pushcclosure(L, unknown_method, 1);
		lua_setfield(L, -2, "__index");
		lua_setmetatable(L, -2);
		lua_setfield(L, -2, "__index");
	}
	lua_pop(L, 1);
}

/* ---- arguments ---- */

/* True or false, unless nothing is said. */
bool
lua_flag(lua_State *L, int index, bool otherwise)
{

	return lua_isnoneornil(L, index) ? otherwise
					 : lua_toboolean(L, index) != 0;
}

const pmodule_match_t *
lua_optional_match(lua_State *L, int index)
{
	void **m = lua_optional_object(L, index, LUA_MATCH);

	return m != NULL ? *m : NULL;
}

int
lua_push_text(lua_State *L, const char *text)
{

	if (text == NULL)
		lua_pushnil(L);
	else
		lua_pushstring(L, text);
	return 1;
}

int
lua_push_name(lua_State *L, const char *name)
{

	return lua_push_text(L, name != NULL && name[0] != '\0' ? name : NULL);
}

int
lua_push_known(lua_State *L, bool known, uint64_t value)
{

	if (known)
		lua_push_u64(L, value);
	else
		lua_pushnil(L);
	return 1;
}

const char *
lua_format(lua_State *L, int first)
{
	int n = lua_gettop(L) - first + 1;

	(void)luaL_checkstring(L, first);
	if (n == 1) {
		lua_pushvalue(L, first);
		return lua_tostring(L, -1);
	}
	lua_getfield(L, LUA_REGISTRYINDEX, "inquest.format");
	for (int i = 0; i < n; i++)
		lua_pushvalue(L, first + i);
	lua_call(L, n, 1);
	return lua_tostring(L, -1);
}

unsigned
lua_check_constant(
    lua_State *L, int index, unsigned first, unsigned last, const char *table)
{
	lua_Number value =
	    lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;

	if (!(value >= first && value <= last) ||
	    value != (lua_Number)(unsigned)value)
		(void)luaL_argerror(L, index,
		    lua_pushfstring(L, "one of pmodule.%s expected, got %s",
			table,
			value == -1 ? lua_kind(L, index)
				    : lua_tostring(L, index)));
	return (unsigned)value;
}

enum pmodule_level
lua_check_level(lua_State *L, int index)
{

	return (enum pmodule_level)lua_check_constant(
	    L, index, PAT_COMMENT, PAT_JSON, "annotation");
}

int32_t
lua_check_register(lua_State *L, int index)
{
	lua_Integer number = luaL_checkinteger(L, index);

	if (number < PTRACE_REGISTER_THREAD_POINTER || number > INT16_MAX)
		(void)luaL_argerror(L, index,
		    "a DWARF register number or one of "
		    "pmodule.machine_register expected");
	return (int32_t)number;
}

int
lua_annotated(lua_State *L, bool done, enum pmodule_level level)
{
	if (done == false && level == PAT_JSON) {
		luaL_where(L, 1);
		lua_pushliteral(
		    L, "annotation dropped: it is not one JSON object");
		lua_concat(L, 2);
		lua_module_say(lua_module_of(L), lua_tostring(L, -1));
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * variable in Lua.
 */
#include "lua/lua_private.h"

static ptrace_variable_t *
variable(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_VARIABLE);
}

static int
variable_address(lua_State *L)
{
	bt_addr_t address = 0;
	bool known = ptrace_variable_address(variable(L), &address);

	return lua_push_known(L, known, address);
}

/* Text may hold any byte. */
static int
variable_symbol(lua_State *L)
{
	ptrace_variable_t *v = variable(L);
	const struct snap_variable *s = module_snap_variable(v);

	if (s != NULL && (s->flags & SNAP_VAR_STRING) != 0 &&
	    (s->flags & SNAP_VAR_SUMMARY) == 0) {
		lua_pushlstring(L, s->string, s->string_size);
		return 1;
	}
	return lua_push_text(L, ptrace_variable_symbol(v));
}

static int
variable_type(lua_State *L)
{

	lua_pushinteger(L, (lua_Integer)ptrace_variable_type(variable(L)));
	return 1;
}

static int
variable_type_name(lua_State *L)
{

	return lua_push_text(L, ptrace_variable_type_name(variable(L)));
}

static int
variable_base_type(lua_State *L)
{

	return lua_push_text(L, ptrace_variable_base_type(variable(L)));
}

static int
variable_name(lua_State *L)
{

	return lua_push_text(L, ptrace_variable_name(variable(L)));
}

static int
variable_owner(lua_State *L)
{

	lua_push_object(L, LUA_VARIABLE, ptrace_variable_owner(variable(L)));
	return 1;
}

static int
variable_frame(lua_State *L)
{

	lua_push_object(L, LUA_FRAME, pmodule_variable_frame(variable(L)));
	return 1;
}

static int
variable_thread(lua_State *L)
{

	lua_push_object(L, LUA_THREAD, ptrace_variable_thread(variable(L)));
	return 1;
}

static int
variable_backtrace(lua_State *L)
{

	lua_push_object(
	    L, LUA_BACKTRACE, ptrace_variable_backtrace(variable(L)));
	return 1;
}

static int
variable_fprm_offset(lua_State *L)
{
	int offset = ptrace_variable_fprm_offset(variable(L));

	if (offset < 0)
		lua_pushnil(L);
	else
		lua_pushinteger(L, offset);
	return 1;
}

static int
variable_resolved(lua_State *L)
{

	lua_pushboolean(L, ptrace_variable_resolved(variable(L)));
	return 1;
}

static int
variable_is_string(lua_State *L)
{

	lua_pushboolean(L, ptrace_variable_is_string(variable(L)));
	return 1;
}

static int
variable_value(lua_State *L)
{
	ptrace_variable_t *v = variable(L);
	double real, imaginary;
	uint64_t value;

	switch (ptrace_variable_type(v)) {
	case PTRACE_TYPE_LL:
	case PTRACE_TYPE_ENUM:
		if (ptrace_variable_ull(v, &value) == false)
			return 0;
		lua_push_i64(L, (int64_t)value);
		return 1;
	case PTRACE_TYPE_ULL:
	case PTRACE_TYPE_REFERENCE:
		if (ptrace_variable_ull(v, &value) == false)
			return 0;
		lua_push_u64(L, value);
		return 1;
	case PTRACE_TYPE_FLT:
	case PTRACE_TYPE_DBL:
	case PTRACE_TYPE_LDBL:
		if (ptrace_variable_dbl(v, &real, NULL) == false)
			return 0;
		lua_pushnumber(L, real);
		return 1;
	case PTRACE_TYPE_CFLT:
	case PTRACE_TYPE_CDBL:
	case PTRACE_TYPE_CLDBL:
		if (ptrace_variable_dbl(v, &real, &imaginary) == false)
			return 0;
		lua_pushnumber(L, real);
		lua_pushnumber(L, imaginary);
		return 2;
	default:
		lua_pushnil(L);
		return 1;
	}
}

/* ---- setters ---- */

static ptrace_variable_t *
settable(lua_State *L)
{
	ptrace_variable_t *v = variable(L);

	if (v->view)
		(void)luaL_error(
		    L, "a variable of variable_from_bt is read-only");
	return v;
}

static int
set_struct(lua_State *L)
{

	(void)pmodule_variable_set_struct(settable(L));
	return 0;
}

static int
set_array(lua_State *L)
{

	(void)pmodule_variable_set_array(settable(L));
	return 0;
}

static int
set_function(lua_State *L)
{

	(void)pmodule_variable_set_function(
	    settable(L), luaL_optstring(L, 2, NULL));
	return 0;
}

static int
set_enum(lua_State *L)
{
	ptrace_variable_t *v = settable(L);
	uint64_t value = lua_check_u64(L, 2);

	(void)pmodule_variable_set_enum(
	    v, (int64_t)value, luaL_optstring(L, 3, NULL));
	return 0;
}

/* A number first, and it is an enumerator with its label: the original had both
 * under this name. */
static int
set_string(lua_State *L)
{
	size_t size;
	const char *text;

	if (lua_isnoneornil(L, 2) == 0 && lua_type(L, 2) != LUA_TSTRING)
		return set_enum(L);
	text = luaL_optlstring(L, 2, "", &size);
	(void)pmodule_variable_set_text(settable(L), text, size);
	return 0;
}

static int
set_ref(lua_State *L)
{
	ptrace_variable_t *v = settable(L);
	uint64_t value = lua_check_u64(L, 2);

	(void)pmodule_variable_set_ref(v, value, luaL_optstring(L, 3, NULL));
	return 0;
}

static int
set_cdbl(lua_State *L)
{
	ptrace_variable_t *v = settable(L);

	(void)pmodule_variable_set_cdbl(
	    v, luaL_checknumber(L, 2), luaL_checknumber(L, 3));
	return 0;
}

static int
set_dbl(lua_State *L)
{
	ptrace_variable_t *v = settable(L);

	(void)pmodule_variable_set_dbl(v, luaL_checknumber(L, 2));
	return 0;
}

static int
set_bool(lua_State *L)
{

	(void)pmodule_variable_set_bool(settable(L), lua_toboolean(L, 2) != 0);
	return 0;
}

/* var:set_value(raw[, deep = true]): what the raw variable holds. */
static int
set_value(lua_State *L)
{
	ptrace_variable_t *v = settable(L);
	bt_variable_t *raw = lua_check_object(L, 2, LUA_RAW);
	bool deep = lua_isnoneornil(L, 3) || lua_toboolean(L, 3) != 0;

	lua_pushboolean(L, pmodule_variable_value(v, raw, deep));
	return 1;
}

/* owner:add_variable(v): a new variable that was created with this owner. */
static int
add_variable(lua_State *L)
{
	ptrace_variable_t *owner = settable(L);
	ptrace_variable_t *v = *(void **)lua_check_object(L, 2, LUA_VARIABLE);

	if (v->owner != owner ||
	    pmodule_frame_add_variable(NULL, v, false) == false)
		return luaL_error(L,
		    "the variable cannot be added: it is not a new one of "
		    "pmodule.create_variable with this owner");
	return 0;
}

static int
set_ull(lua_State *L)
{
	ptrace_variable_t *v = settable(L);

	(void)pmodule_variable_set_ull(v, lua_check_u64(L, 2));
	return 0;
}

static int
set_ll(lua_State *L)
{
	ptrace_variable_t *v = settable(L);

	(void)pmodule_variable_set_ll(v, (int64_t)lua_check_u64(L, 2));
	return 0;
}

static int
variable_annotate(lua_State *L)
{
	ptrace_variable_t *v = settable(L);
	enum pmodule_level level = lua_check_level(L, 2);

	return lua_annotated(L,
	    pmodule_variable_annotate(v, level, "%s", lua_format(L, 3)), level);
}

static int
variable_depth(lua_State *L)
{

	lua_pushinteger(L, (lua_Integer)pmodule_variable_depth(variable(L)));
	return 1;
}

static int
variable_state(lua_State *L)
{

	lua_pushinteger(L, (lua_Integer)pmodule_variable_state(variable(L)));
	return 1;
}

static int
set_state(lua_State *L)
{
	ptrace_variable_t *v = settable(L);
	lua_Integer state = luaL_checkinteger(L, 2);

	if (state < 0 || state > PTRACE_VARIABLE_S_SKIP)
		return luaL_argerror(
		    L, 2, "one of pmodule.variable_state expected");
	pmodule_variable_state_set(v, (unsigned)state);
	return 0;
}

static int
set_summary(lua_State *L)
{

	(void)pmodule_variable_set_summary(settable(L), lua_format(L, 2));
	return 0;
}

static int
set_length(lua_State *L)
{

	(void)pmodule_variable_set_length(settable(L), lua_check_u64(L, 2));
	return 0;
}

/* var:add_member(name or nil, raw): the new variable; nil: a limit. */
static int
add_member(lua_State *L)
{
	ptrace_variable_t *v = settable(L);
	const char *name = luaL_optstring(L, 2, NULL);

	lua_push_object(L, LUA_VARIABLE,
	    pmodule_variable_add_member(
		v, name, lua_check_object(L, 3, LUA_RAW)));
	return 1;
}

static int
add_elements(lua_State *L)
{
	ptrace_variable_t *v = settable(L);
	bt_variable_t *first = lua_check_object(L, 2, LUA_RAW);
	uint64_t count = lua_check_u64(L, 3);

	lua_pushnumber(L,
	    pmodule_variable_add_elements(
		v, first, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX));
	return 1;
}

static int
dispatch(lua_State *L)
{
	ptrace_variable_t *v = settable(L);

	pmodule_variable_dispatch(v, lua_check_object(L, 2, LUA_RAW));
	return 0;
}

/* Views belong to Lua; all others to the run, and have ended with it. */
static int
variable_gc(lua_State *L)
{
	void **place = lua_touserdata(L, 1);

	if (*place != NULL && lua_owns(L, 1))
		pmodule_variable_release(*place);
	*place = NULL;
	return 0;
}

void
lua_variable_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"address", variable_address},
	    {"symbol", variable_symbol},
	    {"type", variable_type},
	    {"type_name", variable_type_name},
	    {"base_type", variable_base_type},
	    {"name", variable_name},
	    {"owner", variable_owner},
	    {"frame", variable_frame},
	    {"thread", variable_thread},
	    {"backtrace", variable_backtrace},
	    {"fprm_offset", variable_fprm_offset},
	    {"resolved", variable_resolved},
	    {"is_string", variable_is_string},
	    {"value", variable_value},
	    {"set_struct", set_struct},
	    {"set_array", set_array},
	    {"set_function", set_function},
	    {"set_string", set_string},
	    {"set_enum", set_enum},
	    {"set_ref", set_ref},
	    {"set_cdbl", set_cdbl},
	    {"set_dbl", set_dbl},
	    {"set_ull", set_ull},
	    {"set_bool", set_bool},
	    {"set_value", set_value},
	    {"add_variable", add_variable},
	    {"set_ll", set_ll},
	    {"depth", variable_depth},
	    {"state", variable_state},
	    {"set_state", set_state},
	    {"set_summary", set_summary},
	    {"set_length", set_length},
	    {"add_member", add_member},
	    {"add_elements", add_elements},
	    {"dispatch", dispatch},
	    {"annotate", variable_annotate},
	    {NULL, NULL},
	};

	lua_class_open(L, LUA_VARIABLE, methods, variable_gc, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * frame in Lua.
 */
#include "lua/lua_private.h"

static ptrace_frame_t *
frame(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_FRAME);
}

static int
frame_instruction(lua_State *L)
{

	lua_push_u64(L, ptrace_frame_ip(frame(L)));
	return 1;
}

static int
frame_path(lua_State *L)
{

	return lua_push_name(L, ptrace_frame_path(frame(L)));
}

static int
frame_symbol(lua_State *L)
{

	return lua_push_name(L, ptrace_frame_symbol(frame(L)));
}

static int
frame_line_resolved(lua_State *L)
{

	lua_pushboolean(L, ptrace_frame_line(frame(L)) != 0);
	return 1;
}

static int
frame_object_file(lua_State *L)
{

	return lua_push_name(L, ptrace_frame_object(frame(L)));
}

static int
frame_backtrace(lua_State *L)
{

	lua_push_object(L, LUA_BACKTRACE, &frame(L)->host->backtrace);
	return 1;
}

static int
frame_thread(lua_State *L)
{

	lua_push_object(L, LUA_THREAD, ptrace_frame_thread(frame(L)));
	return 1;
}

static int
frame_line(lua_State *L)
{

	lua_pushinteger(L, (lua_Integer)ptrace_frame_line(frame(L)));
	return 1;
}

static int
frame_decl_line(lua_State *L)
{

	lua_pushinteger(L, (lua_Integer)ptrace_frame_decl_line(frame(L)));
	return 1;
}

static int
frame_siginfo(lua_State *L)
{
	ptrace_frame_t *f = frame(L);
	const struct target_signal *s = target_signal(f->host->target);

	lua_push_object(L, LUA_SIGINFO,
	    s != NULL && s->present && ptrace_frame_fault(f)
		? (void *)(uintptr_t)s
		: NULL);
	return 1;
}

/* ---- machine ---- */

static int
frame_stack_pointer(lua_State *L)
{
	uint64_t value = 0;
	bool known = ptrace_frame_stack_pointer(frame(L), &value);

	return lua_push_known(L, known, value);
}

static int
frame_cfa(lua_State *L)
{
	uint64_t value = 0;
	bool known = ptrace_frame_cfa(frame(L), &value);

	return lua_push_known(L, known, value);
}

static int
frame_register(lua_State *L)
{
	ptrace_frame_t *f = frame(L);
	int32_t number = lua_check_register(L, 2);
	uint64_t value = 0;
	bool known = ptrace_frame_register(f, number, &value);

	return lua_push_known(L, known, value);
}

/* ---- parameters ---- */

static ptrace_variable_t *
parameter(ptrace_frame_t *f, uint32_t wanted)
{
	uint32_t n = ptrace_frame_n_variables(f), seen = 0;

	for (uint32_t i = 0; i < n; i++) {
		ptrace_variable_t *v = ptrace_frame_variable(f, i);

		if (v == NULL || v->snap == NULL ||
		    (v->snap->flags & SNAP_VAR_PARAMETER) == 0)
			continue;
		if (seen++ == wanted)
			return v;
	}
	return NULL;
}

static int
frame_fprm_at(lua_State *L)
{
	ptrace_frame_t *f = frame(L);
	lua_Integer i = luaL_checkinteger(L, 2);

	lua_push_object(L, LUA_VARIABLE,
	    i >= 0 && i <= INT32_MAX ? parameter(f, (uint32_t)i) : NULL);
	return 1;
}

/* Upvalues: the frame, the next index. */
static int
next_parameter(lua_State *L)
{
	ptrace_frame_t *f = *(void **)lua_check_object(
	    L, lua_upvalueindex(1), LUA_FRAME);
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
	ptrace_variable_t *v = parameter(f, (uint32_t)i);

	if (v == NULL)
		return 0;
	lua_pushinteger(L, i + 1);
	lua_replace(L, lua_upvalueindex(2));
	lua_push_object(L, LUA_VARIABLE, v);
	lua_pushinteger(L, i);
	return 2;
}

static int
frame_fprm(lua_State *L)
{

	(void)frame(L);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_parameter, 2);
	return 1;
}

/* ---- changes ---- */

static int
set_text(lua_State *L, bool (*set)(ptrace_frame_t *, const char *))
{

	(void)set(frame(L), luaL_checkstring(L, 2));
	return 0;
}

static int
frame_set_symbol(lua_State *L)
{

	return set_text(L, pmodule_frame_set_symbol);
}

static int
frame_set_object(lua_State *L)
{

	return set_text(L, pmodule_frame_set_object);
}

static int
frame_set_path(lua_State *L)
{

	return set_text(L, pmodule_frame_set_path);
}

static int
frame_set_basename(lua_State *L)
{

	return set_text(L, pmodule_frame_set_basename);
}

static int
frame_set_directory(lua_State *L)
{

	return set_text(L, pmodule_frame_set_directory);
}

static uint32_t
check_line(lua_State *L)
{
	lua_Integer line = luaL_checkinteger(L, 2);

	if (line < 0 || line > INT32_MAX)
		(void)luaL_argerror(L, 2, "a line number expected");
	return (uint32_t)line;
}

static int
frame_set_line(lua_State *L)
{

	(void)pmodule_frame_set_line(frame(L), check_line(L));
	return 0;
}

static int
frame_set_decl_line(lua_State *L)
{

	(void)pmodule_frame_set_decl_line(frame(L), check_line(L));
	return 0;
}

static int
frame_add_variable(lua_State *L)
{
	ptrace_frame_t *f = frame(L);
	ptrace_variable_t *v = *(void **)lua_check_object(L, 2, LUA_VARIABLE);

	if (v->view)
		return luaL_error(L,
		    "a variable of variable_from_bt is read-only and cannot "
		    "be added");
	if (pmodule_frame_add_variable(f, v, lua_flag(L, 3, true)) == false)
		return luaL_error(L,
		    "the variable cannot be added: it is not a new one of "
		    "pmodule.create_variable");
	return 0;
}

static int
frame_add_frame(lua_State *L)
{
	ptrace_frame_t *f = frame(L);
	ptrace_frame_t *new = *(void **)lua_check_object(L, 2, LUA_FRAME);

	if (pmodule_frame_add_frame(f, new, lua_flag(L, 3, false)) == false)
		return luaL_error(L,
		    "the frame cannot be added: it is not a new one of "
		    "pmodule.create_frame, or the other has no thread");
	return 0;
}

static int
frame_annotate(lua_State *L)
{
	ptrace_frame_t *f = frame(L);
	enum pmodule_level level = lua_check_level(L, 2);

	return lua_annotated(
	    L, pmodule_frame_annotate(f, level, "%s", lua_format(L, 3)), level);
}

/* ---- variables ---- */

/* Upvalue 1 of a loop would be simpler, but the frame itself is called: the
 * last variable tells where we are. */
static uint32_t
position(ptrace_frame_t *f, const ptrace_variable_t *v)
{
	uint32_t n = ptrace_frame_n_variables(f);
	const struct variable_list *l = module_frame_list(f);

	if (l->block != NULL && v >= l->block && v < l->block + n &&
	    l->items[v - l->block] == v)
		return (uint32_t)(v - l->block);
	for (uint32_t i = 0; i < n; i++)
		if (ptrace_frame_variable(f, i) == v)
			return i;
	return n;
}

static int
frame_call(lua_State *L)
{
	ptrace_frame_t *f = frame(L);
	const pmodule_match_t *m = lua_optional_match(L, 2);
	void **last = lua_optional_object(L, 3, LUA_VARIABLE);
	uint32_t i = last != NULL ? position(f, *last) + 1 : 0;

	for (; i < ptrace_frame_n_variables(f); i++) {
		ptrace_variable_t *v = ptrace_frame_variable(f, i);

		if (v == NULL || v->snap == NULL ||
		    pmodule_match_fits_variable(m, v) == false)
			continue;
		lua_push_object(L, LUA_VARIABLE, v);
		return 1;
	}
	return 0;
}

void
lua_frame_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"instruction", frame_instruction},
	    {"path", frame_path},
	    {"symbol", frame_symbol},
	    {"line_resolved", frame_line_resolved},
	    {"object_file", frame_object_file},
	    {"backtrace", frame_backtrace},
	    {"thread", frame_thread},
	    {"line", frame_line},
	    {"decl_line", frame_decl_line},
	    {"siginfo", frame_siginfo},
	    {"stack_pointer", frame_stack_pointer},
	    {"cfa", frame_cfa},
	    {"register", frame_register},
	    {"fprm_at", frame_fprm_at},
	    {"fprm", frame_fprm},
	    {"set_basename", frame_set_basename},
	    {"set_symbol", frame_set_symbol},
	    {"set_directory", frame_set_directory},
	    {"set_object", frame_set_object},
	    {"set_path", frame_set_path},
	    {"set_line", frame_set_line},
	    {"set_decl_line", frame_set_decl_line},
	    {"add_variable", frame_add_variable},
	    {"add_frame", frame_add_frame},
	    {"annotate", frame_annotate},
	    {NULL, NULL},
	};

	lua_class_open(L, LUA_FRAME, methods, NULL, frame_call);
}

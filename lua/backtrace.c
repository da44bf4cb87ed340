/* SPDX-License-Identifier: MIT */
/*
 * backtrace in Lua, and how one iterates over its threads and over global
 * variables. In "for x in obj, filter do" the filter is what Lua hands to obj
 * as the state of the loop.
 */
#include "lua/lua_private.h"

static ptrace_backtrace_t *
backtrace(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_BACKTRACE);
}

static int
bt_pid(lua_State *L)
{

	lua_pushinteger(L, ptrace_backtrace_pid(backtrace(L)));
	return 1;
}

static int
bt_pmap_entry(lua_State *L)
{
	ptrace_backtrace_t *bt = backtrace(L);
	uint64_t address = lua_check_u64(L, 2);
	const struct target_mapping *m = target_mapping_at(
	    bt->host->target, address);

	lua_push_object(L, LUA_PMAP, (void *)(uintptr_t)m);
	return 1;
}

static int
bt_application_name(lua_State *L)
{

	lua_pushstring(L, ptrace_backtrace_application_name(backtrace(L)));
	return 1;
}

/* The value of pmodule.process_state of that name. */
static int
bt_process_state(lua_State *L)
{
	const char *state = ptrace_backtrace_process_state(backtrace(L));

	lua_getfield(L, LUA_REGISTRYINDEX, "inquest.states");
	lua_getfield(L, -1, state);
	return 1;
}

static int
bt_add_tag(lua_State *L)
{

	(void)pmodule_tag_add(backtrace(L), luaL_checkstring(L, 2));
	return 0;
}

static int
bt_add_kv_int(lua_State *L)
{
	ptrace_backtrace_t *bt = backtrace(L);
	const char *key = luaL_checkstring(L, 2);

	(void)pmodule_kv_add_int(bt, key, (int64_t)lua_check_u64(L, 3));
	return 0;
}

static int
bt_add_kv_string(lua_State *L)
{
	ptrace_backtrace_t *bt = backtrace(L);
	const char *key = luaL_checkstring(L, 2);

	(void)pmodule_kv_add_string(bt, key, luaL_checkstring(L, 3));
	return 0;
}

static int
bt_add_classifier(lua_State *L)
{

	(void)pmodule_classifier_add(backtrace(L), luaL_checkstring(L, 2));
	return 0;
}

static int
bt_annotate(lua_State *L)
{
	ptrace_backtrace_t *bt = backtrace(L);
	enum pmodule_level level = lua_check_level(L, 2);

	return lua_annotated(L,
	    pmodule_backtrace_annotate(bt, level, "%s", lua_format(L, 3)),
	    level);
}

static int
bt_variables(lua_State *L)
{

	(void)backtrace(L);
	return lua_globals(L);
}

/* Upvalues: the backtrace, the next index. Gives name, path, start, end. */
static int
next_module(lua_State *L)
{
	ptrace_backtrace_t *bt = lua_touserdata(L, lua_upvalueindex(1));
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
	ptrace_module_t m = PTRACE_MODULE_INIT;

	if (ptrace_target_module_listed(
		ptrace_backtrace_target(bt), (uint32_t)i, &m) == false)
		return 0;
	lua_pushinteger(L, i + 1);
	lua_replace(L, lua_upvalueindex(2));
	lua_pushstring(L, m.name);
	lua_pushstring(L, m.path);
	lua_push_u64(L, m.start);
	lua_push_u64(L, m.end);
	return 4;
}

static int
bt_modules(lua_State *L)
{

	lua_pushlightuserdata(L, backtrace(L));
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_module, 2);
	return 1;
}

/* bt(match, last): the next thread. */
static int
bt_call(lua_State *L)
{
	ptrace_backtrace_t *bt = backtrace(L);
	const pmodule_match_t *m = lua_optional_match(L, 2);
	void **last = lua_optional_object(L, 3, LUA_THREAD);
	uint32_t i = last != NULL ? ((ptrace_thread_t *)*last)->index + 1 : 0;

	for (; i < ptrace_backtrace_n_threads(bt); i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(bt, i);

		if (pmodule_match_fits_thread(m, t) == false)
			continue;
		lua_push_object(L, LUA_THREAD, t);
		return 1;
	}
	return 0;
}

void
lua_backtrace_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"pid", bt_pid},
	    {"pmap_entry", bt_pmap_entry},
	    {"application_name", bt_application_name},
	    {"process_state", bt_process_state},
	    {"add_tag", bt_add_tag},
	    {"add_kv_int", bt_add_kv_int},
	    {"add_kv_string", bt_add_kv_string},
	    {"add_classifier", bt_add_classifier},
	    {"annotate", bt_annotate},
	    {"variables", bt_variables},
	    {"modules", bt_modules},
	    {NULL, NULL},
	};

	lua_class_open(L, LUA_BACKTRACE, methods, NULL, bt_call);
}

/* SPDX-License-Identifier: MIT */
/*
 * backtrace and thread in Lua, and how one iterates over threads, frames and
 * global variables. In "for x in obj, filter do" the filter is what Lua hands
 * to obj as the state of the loop.
 */
#include "lua/lua_private.h"

static ptrace_backtrace_t *
backtrace(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_BACKTRACE);
}

static ptrace_thread_t *
thread(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_THREAD);
}

/* A filter or nil. */
static const pmodule_match_t *
filter(lua_State *L, int index)
{
	void **m = lua_optional_object(L, index, LUA_MATCH);

	return m != NULL ? *m : NULL;
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

	if (ptrace_target_module(
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
	const pmodule_match_t *m = filter(L, 2);
	void **last = lua_optional_object(L, 3, LUA_THREAD);
	uint32_t i = last != NULL ? ((ptrace_thread_t *)*last)->index + 1 : 0;

	for (; i < ptrace_backtrace_n_threads(bt); i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(bt, i);

		if (m != NULL && module_match_thread(m, t) == false)
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

/* ---- threads ---- */

static int
thread_fault(lua_State *L)
{

	lua_pushboolean(L, ptrace_thread_fault(thread(L)));
	return 1;
}

static int
thread_tid(lua_State *L)
{

	lua_pushinteger(L, (lua_Integer)ptrace_thread_tid(thread(L)));
	return 1;
}

static int
thread_backtrace(lua_State *L)
{

	lua_push_object(L, LUA_BACKTRACE, ptrace_thread_backtrace(thread(L)));
	return 1;
}

static int
thread_n_frames(lua_State *L)
{

	lua_pushinteger(L, (lua_Integer)ptrace_thread_n_frames(thread(L)));
	return 1;
}

static int
thread_n_kframes(lua_State *L)
{

	lua_pushinteger(L, (lua_Integer)ptrace_thread_n_kframes(thread(L)));
	return 1;
}

static int
thread_register(lua_State *L)
{
	ptrace_thread_t *t = thread(L);
	int32_t number = lua_check_register(L, 2);
	uint64_t value;

	if (ptrace_thread_register(t, number, &value))
		lua_push_u64(L, value);
	else
		lua_pushnil(L);
	return 1;
}

static int
thread_frames_skipped(lua_State *L)
{

	lua_push_u64(L, ptrace_thread_frames_skipped(thread(L)));
	return 1;
}

static int
thread_set_name(lua_State *L)
{

	(void)pmodule_thread_set_name(thread(L), luaL_checkstring(L, 2));
	return 0;
}

/* True unless something else is said. */
static bool
flag(lua_State *L, int index, bool otherwise)
{

	return lua_isnoneornil(L, index) ? otherwise
					 : lua_toboolean(L, index) != 0;
}

static int
thread_add_frame(lua_State *L)
{
	ptrace_thread_t *t = thread(L);
	ptrace_frame_t *f = *(void **)lua_check_object(L, 2, LUA_FRAME);

	if (pmodule_thread_add_frame(t, f, flag(L, 3, true)) == false)
		return luaL_error(L,
		    "the frame cannot be added: it is not a new one of "
		    "pmodule.create_frame");
	return 0;
}

static int
thread_annotate(lua_State *L)
{
	ptrace_thread_t *t = thread(L);
	enum pmodule_level level = lua_check_level(L, 2);

	return lua_annotated(L,
	    pmodule_thread_annotate(t, level, "%s", lua_format(L, 3)), level);
}

static int
thread_variables(lua_State *L)
{

	(void)thread(L);
	return lua_globals(L);
}

static int
thread_call(lua_State *L)
{
	ptrace_thread_t *t = thread(L);
	const pmodule_match_t *m = filter(L, 2);
	void **last = lua_optional_object(L, 3, LUA_FRAME);
	uint32_t i = last != NULL ? module_frame_place(t, *last) + 1 : 0;

	for (; i < ptrace_thread_n_frames(t); i++) {
		ptrace_frame_t *f = ptrace_thread_frame(t, i);

		if (f == NULL || (m != NULL && !module_match_frame(m, f)))
			continue;
		lua_push_object(L, LUA_FRAME, f);
		return 1;
	}
	return 0;
}

void
lua_thread_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"fault", thread_fault},
	    {"tid", thread_tid},
	    {"backtrace", thread_backtrace},
	    {"n_frames", thread_n_frames},
	    {"n_kframes", thread_n_kframes},
	    {"frames_skipped", thread_frames_skipped},
	    {"register", thread_register},
	    {"set_name", thread_set_name},
	    {"add_frame", thread_add_frame},
	    {"annotate", thread_annotate},
	    {"variables", thread_variables},
	    {NULL, NULL},
	};

	lua_class_open(L, LUA_THREAD, methods, NULL, thread_call);
}

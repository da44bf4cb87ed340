/* SPDX-License-Identifier: MIT */
/*
 * thread in Lua, and how one iterates over its frames.
 */
#include "lua/lua_private.h"

static ptrace_thread_t *
thread(lua_State *L)
{

	return *(void **)lua_check_object(L, 1, LUA_THREAD);
}

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
	uint64_t value = 0;
	bool known = ptrace_thread_register(t, number, &value);

	return lua_push_known(L, known, value);
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

static int
thread_add_frame(lua_State *L)
{
	ptrace_thread_t *t = thread(L);
	ptrace_frame_t *f = *(void **)lua_check_object(L, 2, LUA_FRAME);

	if (pmodule_thread_add_frame(t, f, lua_flag(L, 3, true)) == false)
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
	const pmodule_match_t *m = lua_optional_match(L, 2);
	void **last = lua_optional_object(L, 3, LUA_FRAME);
	uint32_t i = last != NULL ? module_frame_place(t, *last) + 1 : 0;

	for (; i < ptrace_thread_n_frames(t); i++) {
		ptrace_frame_t *f = ptrace_thread_frame(t, i);

		if (pmodule_match_fits_frame(m, f) == false)
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

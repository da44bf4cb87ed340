/* SPDX-License-Identifier: MIT */
/*
 * One Lua state for each module: what it may use, how much memory, how much
 * time; and the way in and out of it.
 *
 * The compiler is off: with it on, the hook that counts instructions is never
 * called in a compiled loop, so that nothing could stop it, and it needs pages
 * that are writable and executable.
 */
#include <stdio.h>

#include "base/budget.h"
#include "base/error.h"
#include "base/text.h"
#include "lua/lua_private.h"

const char lua_libraries[] = "ffi, io, os, debug, package";

static const struct {
	const char *name;
	const lua_CFunction *open; /* is there when LuaJIT is */
	bool safe;
} libraries[] = {
    {"", &luaopen_base, true},
    {"table", &luaopen_table, true},
    {"string", &luaopen_string, true},
    {"math", &luaopen_math, true},
    {"bit", &luaopen_bit, true},
    {"package", &luaopen_package, false},
    {"ffi", &luaopen_ffi, false},
    {"io", &luaopen_io, false},
    {"os", &luaopen_os, false},
    {"debug", &luaopen_debug, false},
};

enum { N_LIBRARIES = sizeof(libraries) / sizeof(*libraries) };

bool
lua_is_library(const char *name)
{
	for (size_t i = 0; i < N_LIBRARIES; i++)
		if (libraries[i].safe == false &&
		    strcmp(libraries[i].name, name) == 0)
			return true;
	return false;
}

/* What is missing without each of them: dofile and require as well. */
void
lua_push_libraries(lua_State *L)
{
	static const char *const others[][2] = {
	    {"dofile", "io"}, {"loadfile", "io"}, {"require", "package"}};

	lua_newtable(L);
	for (size_t i = 0; i < N_LIBRARIES; i++) {
		if (libraries[i].safe)
			continue;
		lua_pushstring(L, libraries[i].name);
		lua_setfield(L, -2, libraries[i].name);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		lua_pushstring(L, others[i][1]);
		lua_setfield(L, -2, others[i][0]);
	}
}

static bool
is_allowed(const struct lua_module *m, const char *name)
{
	const char *const *list = m->settings->whitelist;

	for (; list != NULL && *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

/* ---- limits ---- */

/*
 * LuaJIT 2.1 crashes when memory runs out while it makes a state, or ends one
 * whose libraries were not all opened: close_state and lj_gc_finalize_cdata
 * walk tables that are not there yet. So that it cannot run out then, some is
 * set aside before, which is used when there is no other. Of pages that are
 * not used nothing is taken from the system.
 */
enum { RESERVE = 512 * 1024 };

static bool
is_reserved(const struct lua_module *m, const void *p)
{
	uintptr_t at = (uintptr_t)p, start = (uintptr_t)m->reserve;

	return start != 0 && at >= start && at < start + RESERVE;
}

static void *
take_reserved(struct lua_module *m, size_t size)
{
	void *p = m->reserve + m->reserve_used;

	size = (size + 15) & ~(size_t)15;
	if (!m->starting || size > RESERVE - m->reserve_used)
		return NULL;
	m->reserve_used += size;
	return p;
}

static void *
resize(struct lua_module *m, void *p, size_t old_size, size_t new_size)
{
	bool reserved = p != NULL && is_reserved(m, p), moved = reserved;
	void *q = reserved ? malloc(new_size) : realloc(p, new_size);

	if (q == NULL) {
		q = take_reserved(m, new_size);
		moved = true;
	}
	/* Lua takes for granted that it can always have less. */
	if (q == NULL && new_size <= old_size)
		return p;
	if (q != NULL && p != NULL && moved) {
		memcpy(q, p, old_size < new_size ? old_size : new_size);
		if (!reserved)
			free(p);
	}
	return q;
}

static void *
allocate(void *ud, void *p, size_t old_size, size_t new_size)
{
	struct lua_module *m = ud;
	void *q;

	if (new_size == 0) {
		m->memory -= old_size;
		if (!is_reserved(m, p))
			free(p);
		return NULL;
	}
	if (p == NULL)
		old_size = 0;
	if (new_size > old_size &&
	    new_size - old_size > m->memory_max - m->memory)
		return NULL;
	q = resize(m, p, old_size, new_size);
	if (q != NULL)
		m->memory = m->memory - old_size + new_size;
	return q;
}

/* Asked for each object: the state's allocator knows it best. */
struct lua_module *
lua_module_of(lua_State *L)
{
	void *m;

	(void)lua_getallocf(L, &m);
	return m;
}

static bool
is_late(struct lua_module *m)
{

	if (m->dead || m->entered_ns == 0)
		return m->dead;
	if (m->used_ns + (bt_now_ns() - m->entered_ns) > m->time_ns)
		m->dead = true;
	else if (m->pm != NULL && module_time_left(m->pm->host) == 0)
		m->dead = m->all_late = true;
	return m->dead;
}

/* Pushes "file:line: ", where the module is. */
static void
push_place(lua_State *L)
{
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		(void)lua_getinfo(L, "Sl", &ar);
		if (ar.currentline > 0 && ar.source[0] == '@') {
			lua_pushfstring(
			    L, "%s:%d: ", ar.short_src, ar.currentline);
			return;
		}
	}
	lua_pushliteral(L, "");
}

static int
raise_late(lua_State *L, const struct lua_module *m)
{
	const char *name = m->id[0] != '\0' ? m->id : text_basename(m->path);

	push_place(L);
	if (m->all_late)
		lua_pushfstring(L,
		    "module '%s' was ended: the time for all modules is over",
		    name);
	else
		lua_pushfstring(L,
		    "module '%s' took more than %d ms and was ended", name,
		    (int)(m->time_ns / 1000000));
	lua_concat(L, 2);
	return lua_error(L);
}

static void
on_count(lua_State *L, lua_Debug *ar)
{
	struct lua_module *m = lua_module_of(L);

	(void)ar;
	if (is_late(m)) {
		/* From here on at every turn: the error may be caught. */
		lua_sethook(L, on_count, LUA_MASKCOUNT, 100);
		(void)raise_late(L, m);
	}
}

/* Called by what catches errors (pcall and its like) when it has caught one: a
 * module that is out of time does not get to go on. */
static int
check_time(lua_State *L)
{
	struct lua_module *m = lua_module_of(L);

	if (is_late(m))
		return raise_late(L, m);
	return lua_gettop(L);
}

/* ---- what a module finds ---- */

/*
 * Made from Lua: wrappers that can be yielded across. The hidden libraries are
 * taken away again unless the user allowed them.
 */
static const char prelude[] =
    "local check, log, gone = ...\n"
    "local pcall_, xpcall_, load_, select_ = pcall, xpcall, load, select\n"
    "local type_, tostring_, error_ = type, tostring, error\n"
    "local concat, wrap_, resume_ =\n"
    "    table.concat, coroutine.wrap, coroutine.resume\n"
    "function pcall(...) return check(pcall_(...)) end\n"
    "function xpcall(...) return check(xpcall_(...)) end\n"
    "function coroutine.resume(...) return check(resume_(...)) end\n"
    "function load(text, name, mode, env)\n"
    "  if env ~= nil then return load_(text, name, 't', env) end\n"
    "  return load_(text, name, 't')\n"
    "end\n"
    "function loadstring(text, name)\n"
    "  if type_(text) ~= 'string' then error_('text expected', 2) end\n"
    "  return load_(text, name, 't')\n"
    "end\n"
    "local floor, format = math.floor, string.format\n"
    "function tostring(x)\n"
    "  if type_(x) == 'number' and x == floor(x) and x < 2^53 and\n"
    "      x > -2^53 then return format('%d', x) end\n"
    "  return tostring_(x)\n"
    "end\n"
    "local tostring = tostring\n"
    "function print(...)\n"
    "  local t = {}\n"
    "  for i = 1, select_('#', ...) do\n"
    "    t[i] = tostring((select_(i, ...)))\n"
    "  end\n"
    "  log(concat(t, '\\t'))\n"
    "end\n"
    "string.dump = nil\n"
    "newproxy = nil getfenv = nil setfenv = nil module = nil\n"
    "for name in gone:gmatch('%a+') do _G[name] = nil end\n"
    "if gone:find('io', 1, true) then dofile = nil loadfile = nil end\n"
    "if gone:find('package', 1, true) then require = nil end\n";

static int
print_line(lua_State *L)
{
	struct lua_module *m = lua_module_of(L);

	if (m->pm != NULL)
		pmodule_log(
		    m->pm, PMODULE_LOG_INFO, "%s", luaL_checkstring(L, 1));
	return 0;
}

static void
open_libraries(lua_State *L, const struct lua_module *m)
{
	char gone[64] = "";

	for (size_t i = 0; i < N_LIBRARIES; i++) {
		const char *name = libraries[i].name;

		/* ffi is always needed, to make 64-bit numbers. */
		lua_pushcfunction(L, *libraries[i].open);
		lua_pushstring(L, name);
		lua_call(L, 1, 1);
		if (strcmp(name, "ffi") == 0)
			lua_setfield(L, LUA_REGISTRYINDEX, "inquest.ffi");
		else
			lua_pop(L, 1);
		if (libraries[i].safe == false && is_allowed(m, name) == false)
			(void)snprintf(gone + strlen(gone),
			    sizeof(gone) - strlen(gone), "%s ", name);
	}
	if (is_allowed(m, "ffi")) {
		lua_getfield(L, LUA_REGISTRYINDEX, "inquest.ffi");
		lua_setglobal(L, "ffi");
	}
	if (luaL_loadbuffer(L, prelude, sizeof(prelude) - 1, "=prelude") != 0)
		(void)lua_error(L);
	lua_pushcfunction(L, check_time);
	lua_pushcfunction(L, print_line);
	lua_pushstring(L, gone);
	lua_call(L, 3, 0);
	/* What stays reachable by name would undo all of this. */
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, "_PRELOAD");
	if (is_allowed(m, "package") == false) {
		lua_newtable(L);
		lua_setfield(L, LUA_REGISTRYINDEX, "_LOADED");
	}
}

static int
traceback(lua_State *L)
{
	if (lua_isstring(L, 1) == 0) {
		lua_pushfstring(
		    L, "error object is a %s value", luaL_typename(L, 1));
		lua_replace(L, 1);
		lua_settop(L, 1);
	}
	luaL_traceback(L, L, lua_tostring(L, 1), 1);
	return 1;
}

static int
open_all(lua_State *L)
{
	struct lua_module *m = lua_touserdata(L, 1);

	open_libraries(L, m);
	lua_backtrace_open(L);
	lua_thread_open(L);
	lua_frame_open(L);
	lua_variable_open(L);
	lua_raw_open(L);
	lua_match_open(L);
	lua_memory_open(L);
	lua_newtable(L);
	lua_number_open(L);
	lua_pmodule_open(L);
	lua_setglobal(L, "pmodule");
	lua_pushcfunction(L, traceback);
	m->traceback = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

bool
lua_module_start(struct lua_module *m, bt_error_t *e)
{
	int status;

	if (!lua_api_load(e))
		return false;
	m->load = m->unload = m->reset = LUA_NOREF;
	map_init(&m->refused, LUA_REFUSED_MAX);
	m->memory_max = m->settings->memory != 0
	    ? m->settings->memory
	    : (uint64_t)LUA_MODULE_MIB << 20;
	m->time_ns = m->settings->time_ns != 0
	    ? m->settings->time_ns / 5 * 4
	    : (uint64_t)LUA_MODULE_SECONDS * 1000000000;
	m->reserve = malloc(RESERVE);
	if (m->reserve == NULL)
		return bt_fail(e, BT_E_NOMEM, "no memory for Lua");
	m->starting = true;
	m->L = lua_newstate(allocate, m);
	if (m->L == NULL) {
		free(m->reserve);
		m->reserve = NULL;
		return bt_fail(e, BT_E_NOMEM, "no memory for Lua");
	}
	(void)luaJIT_setmode(m->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
	status = lua_cpcall(m->L, open_all, m);
	m->starting = false;
	if (status != 0)
		return bt_fail(e, BT_E_INTERNAL, "Lua does not start: %s",
		    lua_tostring(m->L, -1));
	lua_sethook(m->L, on_count, LUA_MASKCOUNT, LUA_HOOK_STEPS);
	return true;
}

void
lua_module_stop(struct lua_module *m)
{

	if (m->L == NULL)
		return;
	/* Finalizers of the module's are not to hold us up. */
	m->dead = true;
	lua_close(m->L);
	m->L = NULL;
	free(m->reserve);
	m->reserve = NULL;
	map_deinit(&m->refused);
}

/* ---- in and out ---- */

bool
lua_module_call(struct lua_module *m, int n_arguments, int n_results)
{
	lua_State *L = m->L;
	int handler = lua_gettop(L) - n_arguments, status;
	bool outermost = m->entered_ns == 0;

	if (m->dead) {
		lua_pop(L, n_arguments + 1);
		lua_pushliteral(L, "");
		return false;
	}
	/* Made before: here nothing may need memory, for nobody would catch the
	 * error when there is none, and LuaJIT then ends the process. */
	lua_rawgeti(L, LUA_REGISTRYINDEX, m->traceback);
	lua_insert(L, handler);
	if (outermost) {
		m->entered_ns = bt_now_ns();
		m->limited = false;
	}
	status = lua_pcall(L, n_arguments, n_results, handler);
	if (outermost) {
		m->used_ns += bt_now_ns() - m->entered_ns;
		m->entered_ns = 0;
	}
	lua_remove(L, handler);
	return status == 0;
}

int
lua_limit_error(lua_State *L, const char *text)
{
	lua_module_of(L)->limited = true;
	return luaL_error(L, "%s", text);
}

void
lua_module_say(struct lua_module *m, const char *text)
{
	size_t n = strcspn(text, "\n");
	bool limited = m->limited;

	m->limited = false;
	/* The first time says it all. */
	if (limited && m->limit_told)
		return;
	m->limit_told |= limited;
	if (m->pm == NULL || n == 0 || m->warnings++ >= LUA_WARNINGS_MAX)
		return;
	/* A traceback has a line for each function. */
	for (const char *line = text; *line != '\0';) {
		size_t size = strcspn(line, "\n");

		pmodule_log(m->pm, PMODULE_LOG_ERROR, "%.*s",
		    (int)(size < 1000 ? size : 1000), line);
		line += size + (line[size] != '\0');
		if (limited)
			break;
	}
	module_warn(m->pm,
	    m->dead	  ? "time"
		: limited ? "limit"
			  : "error",
	    text, n);
}

void
lua_module_tell(struct lua_module *m)
{
	const char *text = lua_tostring(m->L, -1);

	lua_module_say(m, text != NULL ? text : "out of memory");
	lua_pop(m->L, 1);
}

ptrace_backtrace_t *
lua_backtrace(lua_State *L)
{
	struct lua_module *m = lua_module_of(L);

	if (m->pm == NULL)
		(void)luaL_error(
		    L, "there is no backtrace yet: use this in a callback");
	return &m->pm->host->backtrace;
}

/* SPDX-License-Identifier: MIT */
/*
 * Mistakes that can be seen in a module without running it: names that no
 * table or object has, and variables that nobody sets. The compiled chunk is
 * read, not the text: LuaJIT tells which names its instructions use and on
 * which line (jit.util). The instructions' numbers are found by compiling small
 * texts that use them, since they differ from version to version.
 */
#include "base/budget.h"
#include "base/error.h"
#include "base/text.h"
#include "lua/lua_private.h"

/*
 * Arguments: jit.util, the chunk, its name, the names of all methods, the
 * libraries that may be allowed, a function that makes the message for a name
 * that is none, and one that takes a mistake.
 */
static const char checker[] =
    "local util, chunk, file, methods, libraries, suggest, tell = ...\n"
    "local band, shift = bit.band, bit.rshift\n"
    "local function op(ins) return ins and band(ins, 255) end\n"
    "local function A(ins) return band(shift(ins, 8), 255) end\n"
    "local function B(ins) return shift(ins, 24) end\n"
    "local function C(ins) return band(shift(ins, 16), 255) end\n"
    "local function D(ins) return shift(ins, 16) end\n"
    "local function probe(text, pc)\n"
    "  return op((util.funcbc(load(text), pc)))\n"
    "end\n"
    "local GGET = probe('return x', 1)\n"
    "local GSET = probe('x = 1', 2)\n"
    "local TGETS = probe('local t return t.x', 2)\n"
    "local TSETS = probe('local t t.x = t', 2)\n"
    "local MOV = probe('local t t:x()', 2)\n"
    "assert(probe('local t t:x()', 3) == TGETS)\n"
    /* Whoever asks whether there is such a variable knows that there may be
     * none. */
    "local tests = {}\n"
    "for _, text in ipairs {'return x and 1', 'return x or 1',\n"
    "    'if x then y() end', 'if not x then y() end',\n"
    "    'if x == nil then y() end', 'if x ~= nil then y() end',\n"
    "    'local a = x or 1', 'local a = x and 1', 'return not x'} do\n"
    "  tests[probe(text, 2)] = true\n"
    "end\n"
    "local function constant(f, i) return (util.funck(f, -i - 1)) end\n"
    /* Each function: its instructions, its constants, those within. */
    "local function each(visit)\n"
    "  local todo = {chunk}\n"
    "  while #todo > 0 do\n"
    "    local f = table.remove(todo)\n"
    "    local code, pc = {}, 1\n"
    "    while util.funcbc(f, pc) do\n"
    "      code[pc] = util.funcbc(f, pc)\n"
    "      pc = pc + 1\n"
    "    end\n"
    "    visit(f, code)\n"
    "    local i = 0\n"
    "    while constant(f, i) ~= nil do\n"
    "      if type(constant(f, i)) == 'proto' then\n"
    "        todo[#todo + 1] = constant(f, i)\n"
    "      end\n"
    "      i = i + 1\n"
    "    end\n"
    "  end\n"
    "end\n"
    /* What the module itself gives names to. */
    "local globals, fields, free = {}, {}, false\n"
    "for name in pairs(_G) do globals[name] = true end\n"
    "each(function(f, code)\n"
    "  for pc, ins in ipairs(code) do\n"
    "    if op(ins) == GGET and tests[op(code[pc + 1])] then\n"
    "      globals[constant(f, D(ins))] = true\n"
    "    end\n"
    "    if op(ins) == GSET then globals[constant(f, D(ins))] = true end\n"
    "    if op(ins) == TSETS then fields[constant(f, C(ins))] = true end\n"
    "    if op(ins) == GGET and constant(f, D(ins)) == '_G' then\n"
    "      free = true\n"
    "    end\n"
    "  end\n"
    "  local i = 0\n"
    "  while constant(f, i) ~= nil do\n"
    "    if type(constant(f, i)) == 'table' then\n"
    "      for name in pairs(constant(f, i)) do fields[name] = true end\n"
    "    end\n"
    "    i = i + 1\n"
    "  end\n"
    "end)\n"
    "local function at(f, pc, text)\n"
    "  local line = util.funcinfo(f, pc).currentline\n"
    "  if text then tell(line, file .. ':' .. line .. ': ' .. text) end\n"
    "end\n"
    "local function global(f, pc, name)\n"
    "  if free or globals[name] then return end\n"
    "  if libraries[name] then\n"
    "    at(f, pc, \"'\" .. name .. \"' is not allowed; \" ..\n"
    "      '--sandbox-whitelist=' .. libraries[name] .. ' does that')\n"
    "  else\n"
    "    at(f, pc, suggest('global variable', name, '', globals))\n"
    "  end\n"
    "end\n"
    /* pmodule.a and pmodule.a.b */
    "local function member(f, code, pc)\n"
    "  local t, where = pmodule, 'in pmodule'\n"
    "  local register = A(code[pc])\n"
    "  while type(t) == 'table' do\n"
    "    pc = pc + 1\n"
    "    local ins = code[pc]\n"
    "    if op(ins) ~= TGETS or B(ins) ~= register then return end\n"
    "    local name = constant(f, C(ins))\n"
    "    if rawget(t, name) == nil then\n"
    "      return at(f, pc, suggest('name', name, where, t))\n"
    "    end\n"
    "    t, where = rawget(t, name), where .. '.' .. name\n"
    "    register = A(ins)\n"
    "  end\n"
    "end\n"
    /* x:name(): only what is nearly the name of a method, for x may be
     * anything. */
    "local function method(f, code, pc)\n"
    "  local ins, before = code[pc], code[pc - 1]\n"
    "  if op(before) ~= MOV or D(before) ~= B(ins) then return end\n"
    "  local name = constant(f, C(ins))\n"
    "  local first = A(before) - A(ins)\n"
    "  if (first ~= 1 and first ~= 2) or methods[name] or fields[name] then\n"
    "    return\n"
    "  end\n"
    "  local text = suggest('method', name, 'on any object', methods)\n"
    "  if text:find('did you mean', 1, true) then at(f, pc, text) end\n"
    "end\n"
    "each(function(f, code)\n"
    "  for pc, ins in ipairs(code) do\n"
    "    if op(ins) == GGET then\n"
    "      local name = constant(f, D(ins))\n"
    "      global(f, pc, name)\n"
    "      if name == 'pmodule' then member(f, code, pc) end\n"
    "    elseif op(ins) == TGETS then\n"
    "      method(f, code, pc)\n"
    "    end\n"
    "  end\n"
    "end)\n";

struct check {
	const char *name, *text;
	size_t size;
	module_mistake_fn *tell;
	void *arg;
};

/* what, name, where, names: "no WHAT 'NAME' WHERE; did you mean 'OTHER'?" */
static int
make_suggestion(lua_State *L)
{

	luaL_checktype(L, 4, LUA_TTABLE);
	lua_push_suggestion(L, luaL_checkstring(L, 1), luaL_checkstring(L, 3),
	    luaL_checkstring(L, 2), 4);
	return 1;
}

static int
take_mistake(lua_State *L)
{
	const struct check *c = lua_touserdata(L, lua_upvalueindex(1));

	c->tell(
	    c->arg, (unsigned)luaL_checkinteger(L, 1), luaL_checkstring(L, 2));
	return 0;
}

/* Pushes a set of what can be called with a colon. */
static void
push_methods(lua_State *L)
{
	static const char *const others[] = {
	    "close", "flush", "lines", "read", "seek", "setvbuf", "write"};
	int set;

	lua_newtable(L);
	set = lua_gettop(L);
	lua_add_methods(L, set);
	lua_getglobal(L, "string");
	for (lua_pushnil(L); lua_next(L, -2) != 0;) {
		lua_pop(L, 1);
		lua_pushvalue(L, -1);
		lua_pushboolean(L, 1);
		lua_settable(L, set);
	}
	lua_settop(L, set);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		lua_pushboolean(L, 1);
		lua_setfield(L, set, others[i]);
	}
}

/* jit.util, from where opening the library `jit` leaves it. */
static void
push_util(lua_State *L)
{
	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, "_PRELOAD");
	lua_pushcfunction(L, luaopen_jit);
	lua_pushliteral(L, "jit");
	lua_call(L, 1, 0);
	(void)luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
	lua_pushnil(L);
	lua_setglobal(L, "jit");
	lua_getfield(L, LUA_REGISTRYINDEX, "_PRELOAD");
	lua_getfield(L, -1, "jit.util");
	lua_pushliteral(L, "jit.util");
	lua_call(L, 1, 1);
	lua_remove(L, -2);
}

static int
run_checker(lua_State *L)
{
	struct check *c = lua_touserdata(L, 1);

	if (luaL_loadbuffer(L, checker, sizeof(checker) - 1, "=check") != 0)
		return lua_error(L);
	push_util(L);
	lua_pushfstring(L, "@%s", c->name);
	if (luaL_loadbuffer(L, c->text, c->size, lua_tostring(L, -1)) != 0)
		return lua_error(L);
	lua_remove(L, -2);
	lua_pushstring(L, c->name);
	push_methods(L);
	lua_push_libraries(L);
	lua_pushcfunction(L, make_suggestion);
	lua_pushlightuserdata(L, c);
	lua_pushcclosure(L, take_mistake, 1);
	lua_call(L, 7, 0);
	return 0;
}

bool
lua_inspect(struct lua_settings *settings, const char *path, const char *text,
    size_t size, module_mistake_fn *tell, void *arg)
{
	struct check c = {text_basename(path), text, size, tell, arg};
	struct lua_module m = {.settings = settings};
	const char *why;
	bt_error_t e;
	bool done;

	/* Compiled code is refused by whoever loads it. */
	if (size > 0 && text[0] == LUA_SIGNATURE[0])
		return true;
	done = lua_module_start(&m, &e);
	if (done) {
		m.entered_ns = bt_now_ns();
		done = lua_cpcall(m.L, run_checker, &c) == 0;
	}
	if (done == false) {
		why = m.L != NULL ? lua_tostring(m.L, -1) : e.text;
		if (why == NULL)
			why = "out of memory";
		tell(arg, module_mistake_line(c.name, why), why);
	}
	lua_module_stop(&m);
	return done;
}

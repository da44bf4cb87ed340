/* SPDX-License-Identifier: MIT */
/*
 * Sequences of calls of the Lua interface. The input is a program for the
 * machine below, which is a module in Lua: it keeps whatever it was given in a
 * pool, and each step calls a function or a method, by a name that the input
 * chooses, with objects of the pool and odd constants for arguments: methods of
 * other classes, stale objects, too few and too many arguments. The process is
 * always the same, that of the seed of the core target.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/compose.h"
#include "formats/json.h"
#include "lua_names.h"
#include "session_of.h"

enum { CODE_MAX = 2048, TEXT_MAX = 64 * 1024 };

static const char machine[] =
    "local pc, pool = 0, {}\n"
    "local constants = {false, true, 0, 1, -1, 3, 0.5, 1e300, 0/0, 2^53,\n"
    "  2^63, 2^64, '', 'head', 'deepest', 'struct node', 'int', 'n', 'value',\n"
    "  '0xffffffffffffffff', '0x401000', '%s%d%n', '{\"a\":1}', '\\0\\255',\n"
    "  string.rep('x', 300), string.rep('a*', 60), {}, {1, 2}, {kind = "
    "'read',\n"
    "  symbol = 'deepest', count = 'x', unit = 0}, function() end,\n"
    "  function() error('no') end, function(x) pool[#pool + 1] = x end,\n"
    "  print, pmodule, pmodule.event, coroutine.create(function() end)}\n"
    "local function byte()\n"
    "  pc = pc + 1\n"
    "  return code:byte(pc) or 0\n"
    "end\n"
    "local function value()\n"
    "  local b = byte()\n"
    "  if b < 96 then return constants[b % #constants + 1] end\n"
    "  if b < 104 then return nil end\n"
    "  if b < 112 then return byte() * 16 end\n"
    "  return pool[#pool - (b - 112) % math.max(#pool, 1)]\n"
    "end\n"
    "local function keep(ok, ...)\n"
    "  for i = 1, math.min(select('#', ...), 4) do\n"
    "    local x = select(i, ...)\n"
    "    if x ~= nil and #pool < 200 then pool[#pool + 1] = x end\n"
    "  end\n"
    "end\n"
    "local function index(t, k) return t[k] end\n"
    "local function mix(a, b)\n"
    "  local s = tostring(a) .. tostring(b)\n"
    "  return a == b, s, #a, a .. b\n"
    "end\n"
    "local function step()\n"
    "  local op = byte() % 8\n"
    "  local name = names[byte() % 256 + 256 * (byte() % 2) + 1] or 'pid'\n"
    "  local n = byte() % 5\n"
    "  if op < 3 then\n"
    "    local f = pmodule[name]\n"
    "    if type(f) ~= 'function' then return end\n"
    "    if n == 0 then keep(pcall(f)) elseif n == 1 then\n"
    "      keep(pcall(f, value())) elseif n == 2 then\n"
    "      keep(pcall(f, value(), value())) elseif n == 3 then\n"
    "      keep(pcall(f, value(), value(), value())) else\n"
    "      keep(pcall(f, value(), value(), value(), value(), value())) end\n"
    "  elseif op < 6 then\n"
    "    local o = value()\n"
    "    local ok, f = pcall(index, o, name)\n"
    "    if not ok or f == nil then return end\n"
    "    local s = byte() % 16 == 0 and value() or o\n"
    "    if n == 0 then keep(pcall(f, s)) elseif n == 1 then\n"
    "      keep(pcall(f, s, value())) elseif n == 2 then\n"
    "      keep(pcall(f, s, value(), value())) else\n"
    "      keep(pcall(f, s, value(), value(), value())) end\n"
    "  elseif op == 6 then\n"
    "    local o = value()\n"
    "    for i = 0, n do keep(pcall(o)) end\n"
    "  else\n"
    "    local a, b = value(), value()\n"
    "    keep(pcall(index, a, b))\n"
    "    pcall(mix, a, b)\n"
    "  end\n"
    "end\n"
    "local function steps(n)\n"
    "  for i = 1, n do\n"
    "    if pc >= #code then return end\n"
    "    step()\n"
    "  end\n"
    "end\n"
    "local function callback(...)\n"
    "  keep(true, ...)\n"
    "  steps(12)\n"
    "  local b = byte() % 8\n"
    "  if b == 1 then return false end\n"
    "  if b == 2 then error({}) end\n"
    "end\n"
    "pmodule.define{id = 'fuzz', load = function()\n"
    "  for _, event in pairs(pmodule.event) do\n"
    "    pmodule.register(event, callback)\n"
    "  end\n"
    "  steps(byte() % 16)\n"
    "end, unload = function() steps(20) end, reset = function() steps(3) "
    "end}\n";

static struct view exe, core;

/* The process: executable and core of the seed. It is read once. */
static bool
read_process(void)
{
	static uint8_t file[1 << 16];
	FILE *f;
	struct view all;
	uint32_t size;

	if (core.size != 0)
		return true;
	f = fopen(FUZZ_CORPUS "/core/seed-c", "rb");
	if (f == NULL)
		return false;
	all = view_of(file, fread(file, 1, sizeof(file), f));
	(void)fclose(f);
	size = view_u32(&all);
	exe = view_sub(&all, 4, size);
	core = view_from(&all, (uint64_t)4 + size);
	return core.size != 0;
}

static void
put_text(struct buf *out, const uint8_t *code, size_t size)
{
	buf_puts(out, "local names = {");
	for (size_t i = 0; i < sizeof(lua_names) / sizeof(*lua_names); i++)
		buf_printf(out, "'%s',", lua_names[i]);
	buf_puts(out, "}\nlocal code = \"");
	for (size_t i = 0; i < size && i < CODE_MAX; i++)
		buf_printf(out, "\\%03u", code[i]);
	buf_puts(out, "\"\n");
	buf_puts(out, machine);
}

static void
show(const struct snapshot *s)
{
	struct buf out;

	buf_init(&out, 64 << 20);
	json_write(s, true, &out);
	if (!out.failed && !json_valid((const char *)out.data, out.size - 1))
		abort();
	buf_deinit(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const globals[] = {"head", NULL};
	struct session_options options = {
	    .variables = true, .modules = true, .globals = globals};
	struct lua_settings settings = {.time_ns = UINT64_C(2000000000)};
	const pmodule_descriptor_t *module;
	struct module_language lua;
	struct buf text;

	if (!read_process())
		abort();
	buf_init(&text, TEXT_MAX);
	put_text(&text, data, size);
	compose_language(&lua, &settings);
	module = text.failed
	    ? NULL
	    : lua.open(lua.ctx, "fuzz.lua", buf_text(&text), text.size, NULL);
	if (module != NULL) {
		compose_modules(&options);
		options.analysis = &module;
		options.n_analysis = 1;
		fuzz_session(&options, exe, core, show);
		lua.close(lua.ctx, module);
	}
	buf_deinit(&text);
	return 0;
}

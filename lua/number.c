/* SPDX-License-Identifier: MIT */
/*
 * 64-bit values. Lua 5.1 has doubles only: what they hold exactly (below 2^53
 * in magnitude) is a plain number, anything larger a uint64_t or int64_t of
 * LuaJIT, which calculates and prints as one expects.
 */
#include "lua/lua_private.h"

#define EXACT (UINT64_C(1) << 53)

/*
 * In Lua, where ffi is: constructors from halves, the way back, and functions
 * for modules: the operators of the library `bit` cut numbers to 32 bits, and
 * two equal 64-bit values are different keys of a table.
 */
static const char source[] =
    "local ffi, lib = ...\n"
    "local bit, floor, format = bit, math.floor, string.format\n"
    "local type, tonumber, select = type, tonumber, select\n"
    "local error, tostring = error, tostring\n"
    "local u64, i64 = ffi.typeof('uint64_t'), ffi.typeof('int64_t')\n"
    "local cast, istype = ffi.cast, ffi.istype\n"
    "local function unsigned(hi, lo) return u64(hi) * 0x100000000ULL + lo end\n"
    "local function signed(hi, lo) return cast(i64, unsigned(hi, lo)) end\n"
    "local function whole(x)\n"
    "  if type(x) == 'number' then\n"
    "    if x ~= floor(x) or x >= 2^64 or x < -2^63 then return nil end\n"
    "    if x < 0 then return cast(u64, cast(i64, x)) end\n"
    "    if x >= 2^63 then return u64(x - 2^63) + 0x8000000000000000ULL end\n"
    "    return u64(x)\n"
    "  end\n"
    "  if type(x) == 'string' then\n"
    "    local h = x:match('^0[xX](%x+)$')\n"
    "    if h and #h <= 16 then\n"
    "      h = ('0'):rep(16 - #h) .. h\n"
    "      return unsigned(tonumber(h:sub(1, 8), 16), tonumber(h:sub(9), 16))\n"
    "    end\n"
    "    local sign, digits = x:match('^(-?)(%d+)$')\n"
    "    if digits == nil or #digits > 20 then return nil end\n"
    "    local n = u64(0)\n"
    "    for i = 1, #digits do n = n * 10 + (digits:byte(i) - 48) end\n"
    "    if sign == '-' then return 0ULL - n end\n"
    "    return n\n"
    "  end\n"
    "  if istype(u64, x) or istype(i64, x) then return cast(u64, x) end\n"
    "end\n"
    "local function halves(x)\n"
    "  local v = whole(x)\n"
    "  if v == nil then return nil end\n"
    "  return tonumber(v / 0x100000000ULL), tonumber(v % 0x100000000ULL)\n"
    "end\n"
    "local function narrow(v)\n"
    "  if v < 0x20000000000000ULL then return tonumber(v) end\n"
    "  return v\n"
    "end\n"
    "local function need(x)\n"
    "  local v = whole(x)\n"
    "  if v == nil then error('integer expected, got ' .. type(x), 3) end\n"
    "  return v\n"
    "end\n"
    "function lib.band(a, ...)\n"
    "  local v = need(a)\n"
    "  for i = 1, select('#', ...) do\n"
    "    v = bit.band(v, need((select(i, ...))))\n"
    "  end\n"
    "  return narrow(v)\n"
    "end\n"
    "function lib.bor(a, ...)\n"
    "  local v = need(a)\n"
    "  for i = 1, select('#', ...) do\n"
    "    v = bit.bor(v, need((select(i, ...))))\n"
    "  end\n"
    "  return narrow(v)\n"
    "end\n"
    "function lib.bxor(a, ...)\n"
    "  local v = need(a)\n"
    "  for i = 1, select('#', ...) do\n"
    "    v = bit.bxor(v, need((select(i, ...))))\n"
    "  end\n"
    "  return narrow(v)\n"
    "end\n"
    "function lib.shl(a, n)\n"
    "  local v = need(a)\n"
    "  if n >= 64 then return 0 end\n"
    "  return narrow(bit.lshift(v, n))\n"
    "end\n"
    "function lib.shr(a, n)\n"
    "  local v = need(a)\n"
    "  if n >= 64 then return 0 end\n"
    "  return narrow(bit.rshift(v, n))\n"
    "end\n"
    "local function hex(x)\n"
    "  local hi, lo = halves(x)\n"
    "  if hi == nil then error('integer expected, got ' .. type(x), 2) end\n"
    "  if hi == 0 then return format('0x%x', lo) end\n"
    "  return format('0x%x%08x', hi, lo)\n"
    "end\n"
    "lib.hex, lib.key = hex, hex\n"
    "function lib.num(x) return narrow(need(x)) end\n"
    "return unsigned, signed, halves\n";

void
lua_number_open(lua_State *L)
{
	int lib = lua_gettop(L);

	if (luaL_loadbuffer(L, source, sizeof(source) - 1, "=numbers") != 0)
		(void)lua_error(L);
	lua_getfield(L, LUA_REGISTRYINDEX, "inquest.ffi");
	lua_pushvalue(L, lib);
	lua_call(L, 2, 3);
	lua_setfield(L, LUA_REGISTRYINDEX, "inquest.halves");
	lua_setfield(L, LUA_REGISTRYINDEX, "inquest.signed");
	lua_setfield(L, LUA_REGISTRYINDEX, "inquest.unsigned");
	/* The library stays in the registry: LuaJIT keeps tables of its own
	 * alive by it, and would use them after they were collected. */
}

static void
push_halves(lua_State *L, const char *maker, uint64_t value)
{

	lua_getfield(L, LUA_REGISTRYINDEX, maker);
	lua_pushnumber(L, (double)(value >> 32));
	lua_pushnumber(L, (double)(value & UINT32_MAX));
	lua_call(L, 2, 1);
}

void
lua_push_u64(lua_State *L, uint64_t value)
{

	if (value < EXACT)
		lua_pushnumber(L, (double)value);
	else
		push_halves(L, "inquest.unsigned", value);
}

void
lua_push_i64(lua_State *L, int64_t value)
{

	if (value < (int64_t)EXACT && value > -(int64_t)EXACT)
		lua_pushnumber(L, (double)value);
	else
		push_halves(L, "inquest.signed", (uint64_t)value);
}

uint64_t
lua_check_u64(lua_State *L, int index)
{
	uint64_t value;

	if (lua_type(L, index) == LUA_TNUMBER) {
		double d = lua_tonumber(L, index);

		if (d >= 0 && d < (double)EXACT && d == (double)(uint64_t)d)
			return (uint64_t)d;
	}
	lua_getfield(L, LUA_REGISTRYINDEX, "inquest.halves");
	lua_pushvalue(L, index);
	lua_call(L, 1, 2);
	if (lua_isnil(L, -2))
		(void)luaL_argerror(L, index,
		    lua_pushfstring(
			L, "integer expected, got %s", lua_kind(L, index)));
	value = (uint64_t)lua_tonumber(L, -2) << 32 |
	    (uint64_t)lua_tonumber(L, -1);
	lua_pop(L, 2);
	return value;
}

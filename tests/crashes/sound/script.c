/* SPDX-License-Identifier: MIT */
/* A sound, busy program that runs compiled Lua: code in anonymous memory. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static const char text[] =
    "local t, s = {}, 0\n"
    "while true do\n"
    "  for i = 1, 20000 do\n"
    "    t[i % 1000 + 1] = { i, tostring(i), function() return i end }\n"
    "    s = s + #t[i % 1000 + 1][2] + t[i % 1000 + 1][3]()\n"
    "  end\n"
    "  local ok = pcall(error, 'no')\n"
    "  s = s + #string.rep('abc', s % 4000)\n"
    "  for i = 1, 3000000 do s = (s + i * 3) % 1000003 end\n"
    "end\n";

int
main(void)
{
	lua_State *l = luaL_newstate();

	luaL_openlibs(l);
	return luaL_loadstring(l, text) || lua_pcall(l, 0, 0, 0);
}

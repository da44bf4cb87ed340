/* SPDX-License-Identifier: MIT */
/*
 * A Lua file as a module: its chunk is run once and defines the module; from
 * then on it is a descriptor like any other.
 */
#include "base/error.h"
#include "base/text.h"
#include "lua/lua_private.h"

static struct lua_module *
module_of(const pmodule_descriptor_t *d)
{

	return (struct lua_module *)((char *)(uintptr_t)d -
	    offsetof(struct lua_module, descriptor));
}

/* Calls a function of the definition, if there is one. */
static bool
call_reference(struct lua_module *m, int reference)
{

	if (reference == LUA_NOREF)
		return true;
	lua_rawgeti(m->L, LUA_REGISTRYINDEX, reference);
	if (lua_module_call(m, 0, 0))
		return true;
	lua_module_tell(m);
	return false;
}

static bool
load(pmodule_t *pm)
{
	struct lua_module *m = module_of(pm->descriptor);

	m->pm = pm;
	if (call_reference(m, m->load))
		return true;
	m->pm = NULL;
	lua_module_stop(m);
	return false;
}

static void
unload(pmodule_t *pm)
{
	struct lua_module *m = module_of(pm->descriptor);

	(void)call_reference(m, m->unload);
	m->pm = NULL;
	/* Objects in Lua refer to handles of the host, which ends now. */
	lua_module_stop(m);
}

static void
reset(pmodule_t *pm)
{
	struct lua_module *m = module_of(pm->descriptor);

	map_clear(&m->refused);
	(void)call_reference(m, m->reset);
}

static bool
run_chunk(struct lua_module *m, const char *text, size_t size, bt_error_t *e)
{
	const char *why;
	char name[300];

	/* Compiled code can do what no source can. */
	if (size > 0 && text[0] == LUA_SIGNATURE[0])
		return bt_fail(e, BT_E_FORMAT,
		    "%s: is compiled; only sources are loaded", m->path);
	(void)snprintf(name, sizeof(name), "@%s", text_basename(m->path));
	if (luaL_loadbuffer(m->L, text, size, name) == 0 &&
	    lua_module_call(m, 0, 0))
		return true;
	/* The traceback of a chunk says no more than its first line. */
	why = lua_tostring(m->L, -1);
	if (why == NULL)
		why = "out of memory";
	return bt_fail(e, BT_E_FORMAT, "%.*s", (int)strcspn(why, "\n"), why);
}

static void
end(void *ctx, const pmodule_descriptor_t *descriptor)
{
	struct lua_module *m = module_of(descriptor);

	(void)ctx;
	lua_module_stop(m);
	free(m);
}

static const pmodule_descriptor_t *
begin(void *ctx, const char *path, const char *text, size_t size, bt_error_t *e)
{
	struct lua_module *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		(void)bt_fail(e, BT_E_NOMEM, "out of memory");
		return NULL;
	}
	m->settings = ctx;
	(void)snprintf(m->path, sizeof(m->path), "%s", path);
	m->descriptor = (pmodule_descriptor_t){
	    .abi_version = PMODULE_ABI_VERSION,
	    .size = sizeof(m->descriptor),
	    .name = m->id,
	    .load = load,
	    .unload = unload,
	    .reset = reset,
	};
	if (lua_module_start(m, e) && run_chunk(m, text, size, e)) {
		if (m->id[0] != '\0')
			return &m->descriptor;
		(void)bt_fail(
		    e, BT_E_USAGE, "%s: does not call pmodule.define", path);
	}
	end(ctx, &m->descriptor);
	return NULL;
}

static bool
inspect(void *ctx, const char *path, const char *text, size_t size,
    module_mistake_fn *tell, void *arg)
{

	return lua_inspect(ctx, path, text, size, tell, arg);
}

void
lua_language_init(struct module_language *out, struct lua_settings *settings)
{
	bt_error_t e;

	/* While files can be opened; each module asks again. */
	(void)!lua_api_load(&e);
	*out = (struct module_language){
	    .suffix = ".lua",
	    .ctx = settings,
	    .open = begin,
	    .close = end,
	    .inspect = inspect,
	};
}

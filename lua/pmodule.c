/* SPDX-License-Identifier: MIT */
/*
 * The table pmodule: definition, registration, reading, synthesis.
 */
#include <stdio.h>

#include "lua/lua_private.h"

/* ---- definition and registration ---- */

static int
optional_function(lua_State *L, const char *field)
{

	lua_getfield(L, 1, field);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		return LUA_NOREF;
	}
	if (lua_isfunction(L, -1) == 0)
		(void)luaL_error(L, "pmodule.define: %s is a %s, no function",
		    field, luaL_typename(L, -1));
	return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int
define(lua_State *L)
{
	struct lua_module *m = lua_module_of(L);
	const char *id;

	luaL_checktype(L, 1, LUA_TTABLE);
	if (m->id[0] != '\0')
		return luaL_error(L, "pmodule.define: called a second time");
	lua_getfield(L, 1, "id");
	id = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
	if (id[0] == '\0' || strlen(id) >= sizeof(m->id))
		return luaL_error(
		    L, "pmodule.define: id is no text of 1 to 64 bytes");
	m->load = optional_function(L, "load");
	if (m->load == LUA_NOREF)
		return luaL_error(L, "pmodule.define: load is missing");
	m->unload = optional_function(L, "unload");
	m->reset = optional_function(L, "reset");
	memcpy(m->id, id, strlen(id) + 1);
	return 0;
}

/* Interned names differ by their addresses, which leave 16 bits free. */
static uint64_t
type_key(const struct lua_callback *c, const ptrace_variable_t *v)
{

	return (uint64_t)(uintptr_t)v->snap->type << 16 | c->number;
}

static void
on_event(struct lua_callback *c, enum lua_class class, void *object,
    bt_variable_t *raw)
{
	struct lua_module *m = c->module;

	if (m->dead)
		return;
	lua_rawgeti(m->L, LUA_REGISTRYINDEX, c->function);
	lua_push_object(m->L, class, object);
	if (raw != NULL)
		lua_push_raw(m->L, raw);
	if (lua_module_call(m, raw != NULL ? 2 : 1, 1) == false)
		lua_module_tell(m);
	else if (class == LUA_VARIABLE && lua_isboolean(m->L, -1) &&
	    lua_toboolean(m->L, -1) == 0)
		(void)map_put(&m->refused, type_key(c, object), NULL);
}

/* Making the arguments may fail for want of memory: protected as a whole. */
struct entry {
	struct lua_callback *callback;
	enum lua_class class;
	void *object;
	bt_variable_t *raw;
};

static int
enter(lua_State *L)
{
	const struct entry *e = lua_touserdata(L, 1);

	lua_settop(L, 0);
	on_event(e->callback, e->class, e->object, e->raw);
	return 0;
}

static void
fire(struct lua_callback *c, enum lua_class class, void *object,
    bt_variable_t *raw)
{
	struct entry e = {c, class, object, raw};
	lua_State *L = c->module->L;

	if (lua_cpcall(L, enter, &e) != 0) {
		c->module->entered_ns = 0;
		lua_module_tell(c->module);
	}
}

static void
fire_backtrace(void *ctx, void *object, bt_variable_t *raw)
{

	fire(ctx, LUA_BACKTRACE, object, raw);
}

static void
fire_thread(void *ctx, void *object, bt_variable_t *raw)
{

	fire(ctx, LUA_THREAD, object, raw);
}

static void
fire_frame(void *ctx, void *object, bt_variable_t *raw)
{

	fire(ctx, LUA_FRAME, object, raw);
}

static void
fire_variable(void *ctx, void *object, bt_variable_t *raw)
{
	const struct lua_callback *c = ctx;

	if (map_get(&c->module->refused, type_key(c, object)) == NULL)
		fire(ctx, LUA_VARIABLE, object, raw);
}

static const struct {
	const char *name;
	enum module_event event;
	module_object_fn *fire;
} events[] = {
    {"preattach", MODULE_EVENT_PREATTACH, fire_backtrace},
    {"attach", MODULE_EVENT_ATTACH, fire_backtrace},
    {"variable", MODULE_EVENT_VARIABLE, fire_variable},
    {"frame", MODULE_EVENT_FRAME, fire_frame},
    {"thread", MODULE_EVENT_THREAD, fire_thread},
    {"postattach", MODULE_EVENT_POSTATTACH, fire_backtrace},
};

enum { N_EVENTS = sizeof(events) / sizeof(*events) };

/* Of the call that registers, and of the function at index 2. */
static void
find_place(lua_State *L, struct module_place *out)
{
	lua_Debug ar;

	if (lua_getstack(L, 1, &ar) && lua_getinfo(L, "Sl", &ar)) {
		(void)snprintf(
		    out->file, sizeof(out->file), "%s", ar.short_src);
		out->line = ar.currentline > 0 ? (unsigned)ar.currentline : 0;
	}
	lua_pushvalue(L, 2);
	if (lua_getinfo(L, ">S", &ar) && ar.linedefined > 0)
		out->function_line = (unsigned)ar.linedefined;
}

static int
add_event(lua_State *L)
{
	struct lua_module *m = lua_module_of(L);
	unsigned event = lua_check_constant(L, 1, 1, N_EVENTS, "event");
	void **match = lua_optional_object(L, 3, LUA_MATCH);
	struct lua_callback *c;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (m->pm == NULL)
		return luaL_error(L,
		    "callbacks are registered by the load function of "
		    "pmodule.define");
	/* As long as the state: an anchored userdata. */
	c = lua_newuserdata(L, sizeof(*c));
	(void)luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, 2);
	*c = (struct lua_callback){.module = m, .number = m->n_callbacks++};
	c->function = luaL_ref(L, LUA_REGISTRYINDEX);
	find_place(L, &c->place);
	if (module_event_add(m->pm, events[event - 1].event,
		match != NULL ? *match : NULL, events[event - 1].fire, c,
		&c->place) == false)
		return luaL_error(L, "too many callbacks");
	return 0;
}

static int
log_line(lua_State *L)
{
	struct lua_module *m = lua_module_of(L);
	unsigned level = lua_check_constant(
	    L, 1, PMODULE_LOG_DEBUG, PMODULE_LOG_ERROR, "log_level");

	if (m->pm != NULL)
		pmodule_log(m->pm, (enum pmodule_log_level)level, "%s",
		    lua_format(L, 2));
	return 0;
}

static int
config_option(lua_State *L)
{
	struct lua_module *m = lua_module_of(L);
	const char *key = luaL_checkstring(L, 1);

	lua_pushstring(
	    L, m->pm != NULL ? pmodule_config_option(m->pm, key) : NULL);
	return 1;
}

static int
get_backtrace(lua_State *L)
{

	lua_push_object(L, LUA_BACKTRACE, lua_backtrace(L));
	return 1;
}

static int
new_match(lua_State *L)
{
	void **place = lua_new_object(L, LUA_MATCH, sizeof(*place));

	*place = pmodule_match_create();
	if (*place == NULL)
		return luaL_error(L, "not enough memory");
	return 1;
}

static int
pmap_enabled(lua_State *L)
{

	lua_pushboolean(L, 1);
	return 1;
}

static int
pmap_cached(lua_State *L)
{

	lua_pushboolean(L,
	    ptrace_target_live(&lua_backtrace(L)->host->target_handle) ==
		false);
	return 1;
}

/* ---- reading ---- */

static int
address_symbol(lua_State *L)
{
	ptrace_backtrace_t *bt = lua_backtrace(L);

	lua_pushstring(L, pmodule_address_symbol(bt, lua_check_u64(L, 1)));
	return 1;
}

static int
demangle(lua_State *L)
{
	const char *symbol = luaL_checkstring(L, 1);

	lua_pushstring(L, pmodule_demangle(lua_backtrace(L), symbol));
	return 1;
}

static int
symbol_address(lua_State *L)
{
	const char *symbol = luaL_checkstring(L, 1);
	bt_addr_t address;

	if (pmodule_symbol_address(
		lua_backtrace(L), symbol, luaL_optstring(L, 2, NULL), &address))
		lua_push_u64(L, address);
	else
		lua_pushnil(L);
	return 1;
}

static size_t
check_size(lua_State *L, int index)
{
	uint64_t size = lua_check_u64(L, index);

	return size < LUA_READ_MAX ? (size_t)size : LUA_READ_MAX;
}

/* In steps: what cannot be read takes no room. */
static int
read_raw(lua_State *L, bt_addr_t address, size_t size)
{
	ptrace_backtrace_t *bt = lua_backtrace(L);
	size_t done = 0;
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	while (done < size) {
		size_t want = size - done;
		size_t got;

		if (want > LUAL_BUFFERSIZE)
			want = LUAL_BUFFERSIZE;
		got = pmodule_address_read_raw(
		    bt, address + done, luaL_prepbuffer(&b), want);
		luaL_addsize(&b, got);
		done += got;
		if (got < want)
			break;
	}
	luaL_pushresult(&b);
	if (done == 0 && size != 0) {
		lua_pop(L, 1);
		lua_pushnil(L);
	}
	return 1;
}

static int
read_string(lua_State *L, bt_addr_t address, size_t size)
{
	const char *text;
	size_t n;

	(void)read_raw(L, address, size < 256 ? size : 256);
	text = lua_tolstring(L, -1, &n);
	if (text == NULL)
		return 1;
	if (memchr(text, 0, n) == NULL && size > n && n == 256) {
		lua_pop(L, 1);
		(void)read_raw(L, address, size);
		text = lua_tolstring(L, -1, &n);
	}
	lua_pushlstring(L, text, strnlen(text, n));
	return 1;
}

static int
address_read_raw(lua_State *L)
{
	uint64_t address = lua_check_u64(L, 1);

	return read_raw(L, address, check_size(L, 2));
}

static int
address_read_string(lua_State *L)
{
	uint64_t address = lua_check_u64(L, 1);

	return read_string(L, address, check_size(L, 2));
}

/* address, size (1, 2, 4, 8), signed; nil: unreadable. */
static int
address_read_number(lua_State *L)
{
	ptrace_target_t *t = ptrace_backtrace_target(lua_backtrace(L));
	uint64_t address = lua_check_u64(L, 1), value = 0;
	lua_Integer size = luaL_checkinteger(L, 2);
	bool is_signed = lua_toboolean(L, 3) != 0;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return luaL_argerror(L, 2, "1, 2, 4 or 8 expected");
	/* The targets are little-endian, as we are. */
	if (ptrace_target_read(t, address, &value, (size_t)size, NULL) ==
	    false) {
		lua_pushnil(L);
		return 1;
	}
	if (is_signed && size < 8 && value >> (size * 8 - 1) != 0)
		value |= ~UINT64_C(0) << (size * 8);
	if (is_signed)
		lua_push_i64(L, (int64_t)value);
	else
		lua_push_u64(L, value);
	return 1;
}

/* symbol, object, size; false: nil is pushed. */
static bool
check_symbol(lua_State *L, bt_addr_t *address)
{
	const char *symbol = luaL_checkstring(L, 1);

	if (pmodule_symbol_address(
		lua_backtrace(L), symbol, luaL_optstring(L, 2, NULL), address))
		return true;
	lua_pushnil(L);
	return false;
}

static int
symbol_read_raw(lua_State *L)
{
	size_t size = check_size(L, 3);
	bt_addr_t address;

	return check_symbol(L, &address) ? read_raw(L, address, size) : 1;
}

static int
symbol_read_string(lua_State *L)
{
	size_t size = check_size(L, 3);
	bt_addr_t address;

	return check_symbol(L, &address) ? read_string(L, address, size) : 1;
}

/* ---- raw variables ---- */

static int
bt_query(lua_State *L)
{
	const char *symbol = luaL_checkstring(L, 1);
	bt_variable_t copy,
	    *found = pmodule_bt_query(lua_backtrace(L), symbol,
		luaL_optstring(L, 2, NULL), luaL_optstring(L, 3, NULL));

	if (found == NULL) {
		lua_pushnil(L);
		return 1;
	}
	/* Nothing is held while Lua may raise an error. */
	copy = *found;
	bt_variable_deinit(found);
	lua_push_raw(L, &copy);
	return 1;
}

static int
variable_from_bt(lua_State *L)
{
	bt_variable_t *raw = lua_check_object(L, 1, LUA_RAW);
	void **place = lua_new_object(L, LUA_VARIABLE, sizeof(*place));

	lua_own(L, -1);
	*place = pmodule_variable_from_bt(lua_backtrace(L), raw);
	if (*place == NULL)
		return luaL_error(L, "not enough memory");
	return 1;
}

/* ---- synthesis ---- */

static int
create_variable(lua_State *L)
{
	const char *type = luaL_checkstring(L, 1);
	const char *name = luaL_optstring(L, 2, "");
	uint64_t address = lua_isnoneornil(L, 3) ? 0 : lua_check_u64(L, 3);
	lua_Integer offset = luaL_optinteger(L, 4, -1);
	void **owner = lua_optional_object(L, 5, LUA_VARIABLE);
	ptrace_variable_t *v;

	if (owner != NULL && ((ptrace_variable_t *)*owner)->view)
		return luaL_argerror(L, 5, "the owner is read-only");
	v = owner != NULL
	    ? pmodule_variable_create(type, name, address, offset, *owner)
	    : pmodule_variable_new(
		  lua_backtrace(L), type, name, address, offset);
	if (v == NULL)
		return lua_limit_error(L, "too many variables were created");
	lua_push_object(L, LUA_VARIABLE, v);
	return 1;
}

static int
create_frame(lua_State *L)
{
	ptrace_frame_t *f = pmodule_frame_create(lua_backtrace(L));

	if (f == NULL)
		return lua_limit_error(L, "too many frames were created");
	lua_push_object(L, LUA_FRAME, f);
	return 1;
}

/* ---- globals ---- */

/* Collected without a call of Lua: an error of its would skip what has to be
 * put in order below. */
struct found {
	VEC(bt_variable_t) variables;
	VEC(const char *) objects, units;
};

static bool
collect_global(void *ctx, bt_variable_t *v, const char *object, const char *cu)
{
	struct found *f = ctx;
	bt_variable_t *a = vec_push(&f->variables);
	const char **b = vec_push(&f->objects), **c = vec_push(&f->units);

	if (a == NULL || b == NULL || c == NULL) {
		f->variables.count -= a != NULL;
		return false;
	}
	*a = *v;
	*b = object;
	*c = cu;
	return true;
}

static int
found_gc(lua_State *L)
{
	struct found *f = lua_touserdata(L, 1);

	vec_deinit(&f->variables);
	vec_deinit(&f->objects);
	vec_deinit(&f->units);
	return 0;
}

static const char *
filter_text(lua_State *L, int index, const char *field)
{
	const char *text = NULL;

	if (lua_istable(L, index)) {
		lua_getfield(L, index, field);
		text = lua_tostring(L, -1); /* stays: it is in the table */
		lua_pop(L, 1);
	}
	return text;
}

/* The thread whose globals are meant; NULL: those of all. */
static ptrace_thread_t *
globals_thread(lua_State *L, int index)
{
	void **thread = lua_test_object(L, index, LUA_THREAD);

	if (thread == NULL)
		(void)lua_check_object(L, index, LUA_BACKTRACE);
	return thread != NULL ? *thread : NULL;
}

/* Upvalues: backtrace or thread, what was found (after the first call),
 * position. */
static int
next_global(lua_State *L)
{
	ptrace_thread_t *t = globals_thread(L, lua_upvalueindex(1));
	struct found *f = lua_touserdata(L, lua_upvalueindex(2));
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
	void **place;

	if (f == NULL) {
		f = lua_newuserdata(L, sizeof(*f));
		memset(f, 0, sizeof(*f));
		vec_init(&f->variables, MODULE_GLOBALS_MAX);
		vec_init(&f->objects, MODULE_GLOBALS_MAX);
		vec_init(&f->units, MODULE_GLOBALS_MAX);
		luaL_getmetatable(L, "inquest.found");
		lua_setmetatable(L, -2);
		lua_replace(L, lua_upvalueindex(2));
		pmodule_globals_each(lua_backtrace(L), t,
		    filter_text(L, 1, "object"), filter_text(L, 1, "cu"),
		    filter_text(L, 1, "name"), collect_global, f);
	}
	if ((size_t)i >= f->variables.count)
		return 0;
	lua_pushinteger(L, i + 1);
	lua_replace(L, lua_upvalueindex(3));
	place = lua_new_object(L, LUA_VARIABLE, sizeof(*place));
	lua_own(L, -1);
	*place = pmodule_variable_from_bt(
	    lua_backtrace(L), &f->variables.items[i]);
	if (*place == NULL)
		return luaL_error(L, "not enough memory");
	lua_pushstring(L, f->objects.items[i]);
	lua_pushstring(L, f->units.items[i]);
	return 3;
}

int
lua_globals(lua_State *L)
{

	lua_pushvalue(L, 1);
	lua_pushnil(L);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_global, 3);
	return 1;
}

/* ---- the table ---- */

struct constant {
	const char *name;
	int value;
};

static int
unknown_name(lua_State *L)
{

	lua_suggest(L, "name", lua_tostring(L, lua_upvalueindex(1)),
	    luaL_checkstring(L, 2), 1);
	return 0;
}

static void
set_constants(lua_State *L, int table, const char *name, const char *other,
    const struct constant *c)
{
	int top = lua_gettop(L);

	lua_newtable(L);
	for (; c->name != NULL; c++) {
		lua_pushinteger(L, c->value);
		lua_setfield(L, -2, c->name);
	}
	lua_newtable(L);
	lua_pushfstring(L, "in pmodule.%s", name);
	lua_pushcclosure(L, unknown_name, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	if (other != NULL) {
		lua_pushvalue(L, -1);
		lua_setfield(L, table, other);
	}
	lua_setfield(L, table, name);
	lua_settop(L, top);
}

static const struct constant event_names[] = {{"preattach", 1}, {"attach", 2},
    {"variable", 3}, {"frame", 4}, {"thread", 5}, {"postattach", 6}, {0}};
static const struct constant log_levels[] = {{"debug", PMODULE_LOG_DEBUG},
    {"info", PMODULE_LOG_INFO}, {"warning", PMODULE_LOG_WARNING},
    {"error", PMODULE_LOG_ERROR}, {0}};
static const struct constant match_types[] = {
    {"exact", PMODULE_MATCH_EXACT}, {"substr", PMODULE_MATCH_SUBSTR}, {0}};
static const struct constant annotations[] = {{"comment", PAT_COMMENT},
    {"warning", PAT_WARNING}, {"critical", PAT_CRITICAL}, {"json", PAT_JSON},
    {0}};
static const struct constant permissions[] = {{"ex", TARGET_X},
    {"wr", TARGET_W}, {"rd", TARGET_R}, {"pr", 8}, {"sh", 16},
    {"all", TARGET_R | TARGET_W | TARGET_X}, {0}};
static const struct constant states[] = {{"running", 1}, {"sleeping", 2},
    {"disk", 3}, {"stopped", 4}, {"traced", 5}, {"zombie", 6}, {"dead", 7},
    {"idle", 8}, {"blocked", 9}, {"queued", 10}, {"unknown", 0}, {0}};
static const struct constant variable_states[] = {
    {"shown", 0}, {"skip", PTRACE_VARIABLE_S_SKIP}, {0}};
static const struct constant types[] = {{"ll", PTRACE_TYPE_LL},
    {"ull", PTRACE_TYPE_ULL}, {"flt", PTRACE_TYPE_FLT},
    {"dbl", PTRACE_TYPE_DBL}, {"ldbl", PTRACE_TYPE_LDBL},
    {"cflt", PTRACE_TYPE_CFLT}, {"cdbl", PTRACE_TYPE_CDBL},
    {"cldbl", PTRACE_TYPE_CLDBL}, {"string", PTRACE_TYPE_STRING},
    {"enum", PTRACE_TYPE_ENUM}, {"tuple", PTRACE_TYPE_TUPLE},
    {"array", PTRACE_TYPE_ARRAY}, {"bottom", PTRACE_TYPE_BOTTOM},
    {"fn", PTRACE_TYPE_FN}, {"reference", PTRACE_TYPE_REFERENCE}, {0}};

static const struct constant registers[] = {{"pc", PTRACE_REGISTER_PC},
    {"sp", PTRACE_REGISTER_SP},
    {"thread_pointer", PTRACE_REGISTER_THREAD_POINTER}, {0}};

static const luaL_Reg functions[] = {
    {"define", define},
    {"register", add_event},
    {"event_register", add_event},
    {"log", log_line},
    {"address_symbol", address_symbol},
    {"demangle", demangle},
    {"symbol_address", symbol_address},
    {"symbol_read_raw", symbol_read_raw},
    {"address_read_raw", address_read_raw},
    {"symbol_read_string", symbol_read_string},
    {"address_read_string", address_read_string},
    {"address_read_number", address_read_number},
    {"match", new_match},
    {"pmap_enabled", pmap_enabled},
    {"pmap_cached", pmap_cached},
    {"backtrace", get_backtrace},
    {"config_option", config_option},
    {"constraint", lua_constraint},
    {"create_variable", create_variable},
    {"create_frame", create_frame},
    {"bt_query", bt_query},
    {"variable_from_bt", variable_from_bt},
    {NULL, NULL},
};

void
lua_pmodule_open(lua_State *L)
{
	int table = lua_gettop(L);

	for (const luaL_Reg *f = functions; f->name != NULL; f++) {
		lua_pushcfunction(L, f->func);
		lua_setfield(L, table, f->name);
	}
	set_constants(L, table, "event", "event_type", event_names);
	set_constants(L, table, "log_level", NULL, log_levels);
	set_constants(L, table, "match_type", NULL, match_types);
	set_constants(L, table, "annotation", NULL, annotations);
	set_constants(L, table, "pmap_perms", NULL, permissions);
	set_constants(L, table, "process_state", NULL, states);
	set_constants(L, table, "variable_type", NULL, types);
	set_constants(L, table, "machine_register", NULL, registers);
	set_constants(L, table, "variable_state", NULL, variable_states);
	lua_raw_functions(L);
	lua_heap_functions(L);
	lua_getfield(L, table, "process_state");
	lua_setfield(L, LUA_REGISTRYINDEX, "inquest.states");
	lua_getglobal(L, "string");
	lua_getfield(L, -1, "format");
	lua_setfield(L, LUA_REGISTRYINDEX, "inquest.format");
	lua_settop(L, table);
	(void)luaL_newmetatable(L, "inquest.found");
	lua_pushcfunction(L, found_gc);
	lua_setfield(L, -2, "__gc");
	lua_settop(L, table);
	lua_newtable(L);
	lua_pushliteral(L, "in pmodule");
	lua_pushcclosure(L, unknown_name, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, table);
}

/* SPDX-License-Identifier: MIT */
/*
 * The heap in Lua: include/ptrace/heap.h, blocks and statistics as tables.
 */
#include <ptrace/heap.h>

#include "lua/lua_private.h"

static const char *const states[] = {
    "unknown", "allocated", "free", "cached", "unused", "purged", "metadata"};
static const char *const checks[] = {"size", "prev-size", "in-use", "top",
    "link", "bin", "count", "twice", "foreign", "key", "overlap", "metadata"};

static ptrace_target_t *
target(lua_State *L)
{

	return ptrace_backtrace_target(lua_backtrace(L));
}

static void
set_u64(lua_State *L, const char *name, uint64_t value)
{

	lua_push_u64(L, value);
	lua_setfield(L, -2, name);
}

/* What is not there is nil. */
static void
set_address(lua_State *L, const char *name, uint64_t value)
{

	if (value != 0)
		lua_push_u64(L, value);
	else
		lua_pushnil(L);
	lua_setfield(L, -2, name);
}

static void
set_text(lua_State *L, const char *name, const char *text)
{

	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

static void
set_bool(lua_State *L, const char *name, bool value)
{

	lua_pushboolean(L, value);
	lua_setfield(L, -2, name);
}

static const char *
name_of(const char *const *names, size_t n, uint32_t i)
{

	return i < n ? names[i] : "unknown";
}

/* Into the table on top. */
static void
set_block(lua_State *L, const ptrace_heap_block_t *b)
{

	set_text(L, "allocator", b->allocator);
	set_text(L, "state",
	    name_of(states, sizeof(states) / sizeof(*states), b->state));
	set_text(L, "place", b->place);
	if (b->owner != NULL)
		set_text(L, "owner", b->owner);
	set_u64(L, "start", b->start);
	set_u64(L, "usable", b->usable);
	lua_push_i64(L, b->offset);
	lua_setfield(L, -2, "offset");
	set_u64(L, "chunk", b->chunk);
	set_u64(L, "extent", b->extent);
	set_address(L, "arena", b->arena);
	set_address(L, "cache_tid", (uint64_t)b->cache_tid);
	set_bool(L, "mapped", b->mapped);
	set_bool(L, "damaged", b->damaged);
	set_bool(L, "transient", b->transient);
}

static int
push_block(lua_State *L, bool found, const ptrace_heap_block_t *b)
{

	if (found == false) {
		lua_pushnil(L);
		return 1;
	}
	lua_createtable(L, 0, 15);
	set_block(L, b);
	return 1;
}

static int
heap_at(lua_State *L)
{
	ptrace_target_t *t = target(L);
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;

	return push_block(L, ptrace_heap_at(t, lua_check_u64(L, 1), &b), &b);
}

static int
neighbour(lua_State *L,
    bool (*find)(
	ptrace_target_t *, const ptrace_heap_block_t *, ptrace_heap_block_t *))
{
	ptrace_target_t *t = target(L);
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
	bool found = ptrace_heap_at(t, lua_check_u64(L, 1), &b) &&
	    find(t, &b, &b);

	return push_block(L, found, &b);
}

static int
heap_before(lua_State *L)
{

	return neighbour(L, ptrace_heap_before);
}

static int
heap_after(lua_State *L)
{

	return neighbour(L, ptrace_heap_after);
}

/* ---- the walk ---- */

struct walk {
	lua_State *L;
	int function, table; /* references */
	const ptrace_heap_block_t *block;
	bool stop, failed;
};

static int
call_visitor(lua_State *L)
{
	struct walk *w = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, w->function);
	lua_rawgeti(L, LUA_REGISTRYINDEX, w->table);
	set_block(L, w->block);
	lua_call(L, 1, 1);
	w->stop = lua_isboolean(L, -1) && lua_toboolean(L, -1) == 0;
	return 0;
}

/* Errors may not pass through the walk: they are raised again behind it. */
static bool
visit(void *ctx, const ptrace_heap_block_t *block)
{
	struct walk *w = ctx;

	w->block = block;
	w->failed = lua_cpcall(w->L, call_visitor, w) != 0;
	return w->failed == false && w->stop == false;
}

static int
heap_walk(lua_State *L)
{
	ptrace_target_t *t = target(L);
	struct walk w = {.L = L};
	bool whole;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_createtable(L, 0, 14);
	w.table = luaL_ref(L, LUA_REGISTRYINDEX);
	w.function = luaL_ref(L, LUA_REGISTRYINDEX);
	whole = ptrace_heap_walk(t, visit, &w);
	luaL_unref(L, LUA_REGISTRYINDEX, w.function);
	luaL_unref(L, LUA_REGISTRYINDEX, w.table);
	if (w.failed)
		return lua_error(L);
	lua_pushboolean(L, whole);
	return 1;
}

/* ---- what is counted, what is wrong ---- */

static void
push_statistics(lua_State *L, const ptrace_heap_statistics_t *s)
{

	lua_createtable(L, 0, 20);
	set_text(L, "allocator", s->allocator);
	set_text(L, "version", s->version);
	set_bool(L, "complete", s->complete);
	set_u64(L, "arenas", s->arenas);
	set_u64(L, "caches", s->caches);
	set_u64(L, "allocated_blocks", s->allocated_blocks);
	set_u64(L, "allocated_bytes", s->allocated_bytes);
	set_u64(L, "free_blocks", s->free_blocks);
	set_u64(L, "free_bytes", s->free_bytes);
	set_u64(L, "cached_blocks", s->cached_blocks);
	set_u64(L, "cached_bytes", s->cached_bytes);
	set_u64(L, "mapped_blocks", s->mapped_blocks);
	set_u64(L, "mapped_bytes", s->mapped_bytes);
	set_u64(L, "unused_bytes", s->unused_bytes);
	set_u64(L, "system_bytes", s->system_bytes);
	set_u64(L, "largest_block", s->largest_block);
	set_u64(L, "anomalies", s->anomalies);
	set_u64(L, "transient", s->transient);
}

static int
heap_statistics(lua_State *L)
{
	ptrace_heap_statistics_t s = PTRACE_HEAP_STATISTICS_INIT;
	ptrace_target_t *t = target(L);

	lua_newtable(L);
	for (uint32_t i = 0; ptrace_heap_statistics(t, i, &s); i++) {
		push_statistics(L, &s);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static void
push_anomaly(lua_State *L, const ptrace_heap_anomaly_t *a)
{

	lua_createtable(L, 0, 12);
	set_text(L, "allocator", a->allocator);
	set_text(L, "check",
	    name_of(checks, sizeof(checks) / sizeof(*checks), a->check));
	set_text(L, "text", a->text);
	set_address(L, "address", a->address);
	set_address(L, "chunk", a->chunk);
	set_address(L, "start", a->start);
	set_address(L, "before", a->before);
	set_address(L, "arena", a->arena);
	if (a->has_values) {
		set_u64(L, "expected", a->expected);
		set_u64(L, "found", a->found);
	}
	set_address(L, "cache_tid", (uint64_t)a->cache_tid);
	set_bool(L, "transient", a->transient);
}

static int
heap_anomalies(lua_State *L)
{
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	ptrace_target_t *t = target(L);

	lua_newtable(L);
	for (uint32_t i = 0; ptrace_heap_anomaly(t, i, &a); i++) {
		push_anomaly(L, &a);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static int
heap_allocator(lua_State *L)
{

	lua_pushstring(L, ptrace_heap_allocator(target(L)));
	return 1;
}

static int
heap_remarks(lua_State *L)
{
	ptrace_target_t *t = target(L);
	const char *text;

	lua_newtable(L);
	for (uint32_t i = 0; (text = ptrace_heap_remark(t, i)) != NULL; i++) {
		lua_pushstring(L, text);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

void
lua_heap_functions(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"heap_at", heap_at},
	    {"heap_before", heap_before},
	    {"heap_after", heap_after},
	    {"heap_walk", heap_walk},
	    {"heap_statistics", heap_statistics},
	    {"heap_anomalies", heap_anomalies},
	    {"heap_allocator", heap_allocator},
	    {"heap_remarks", heap_remarks},
	    {NULL, NULL},
	};

	for (const luaL_Reg *f = functions; f->name != NULL; f++) {
		lua_pushcfunction(L, f->func);
		lua_setfield(L, -2, f->name);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the state of one module, and how its
 * objects look in Lua. Each object is a userdata that holds a handle of the
 * module host, and the number of the snapshot it belongs to: handles are valid
 * until the host turns to the next one.
 */
#ifndef LUA_PRIVATE_H
#define LUA_PRIVATE_H

#include "lua/api.h"
#include "lua/host.h"
#include "module/module_private.h"

enum {
	LUA_MODULE_SECONDS = 4, /* below what the supervisor waits */
	LUA_MODULE_MIB = 256,
	LUA_HOOK_STEPS = 10000,
	LUA_WARNINGS_MAX = 10,
	LUA_REFUSED_MAX = 1 << 16,
	LUA_READ_MAX = 64 << 20
};

enum lua_class {
	LUA_BACKTRACE,
	LUA_THREAD,
	LUA_FRAME,
	LUA_VARIABLE,
	LUA_RAW,
	LUA_MATCH,
	LUA_PMAP,
	LUA_SIGINFO,
	LUA_TYPE,
	LUA_CLASS__COUNT
};

struct lua_module {
	const struct lua_settings *settings;
	lua_State *L;
	pmodule_descriptor_t descriptor;
	char path[256], id[65];
	pmodule_t *pm; /* once loaded */
	uint64_t memory, memory_max;
	uint8_t *reserve; /* for starting: state.c */
	size_t reserve_used;
	bool starting;
	uint64_t used_ns, entered_ns, time_ns;
	bool dead;     /* took too long: never entered again */
	bool all_late; /* and that because of all modules together */
	bool limited;  /* the error that is on its way is that of a limit */
	bool limit_told;
	unsigned warnings;
	int load, unload, reset, traceback; /* references */
	int classes[LUA_CLASS__COUNT];	    /* their metatables */
	/* The same, to be compared: they live as long as the state. */
	const void *metatables[LUA_CLASS__COUNT];
	uint16_t n_callbacks;
	/* Types (interned names) that a callback does not want to see again. */
	struct map refused;
};

/* A callback: which function of which module. */
struct lua_callback {
	struct lua_module *module;
	int function;
	uint16_t number;
	struct module_place place;
};

/* ---- state.c ---- */

/* Ends the call: it asked for more than it may have. That is said in one line,
 * for where it was called from explains nothing. */
int lua_limit_error(lua_State *L, const char *text);

bool lua_module_start(struct lua_module *m, bt_error_t *e);
void lua_module_stop(struct lua_module *m);
/* A table: the libraries that a user may allow. */
void lua_push_libraries(lua_State *L);
/* Calls the function under n arguments; false with the message, with
 * traceback, on the stack. */
bool lua_module_call(struct lua_module *m, int n_arguments, int n_results);
/* To the console and, its first line, to the snapshot. */
void lua_module_say(struct lua_module *m, const char *text);
/* Takes a message from the stack and says it. */
void lua_module_tell(struct lua_module *m);
struct lua_module *lua_module_of(lua_State *L);
/* The backtrace; an error outside of callbacks. */
ptrace_backtrace_t *lua_backtrace(lua_State *L);

/* ---- check.c ---- */

/* Tells what is wrong with a module's text without running it. False: it cannot
 * be compiled. */
bool lua_inspect(struct lua_settings *settings, const char *path,
    const char *text, size_t size, module_mistake_fn *tell, void *arg);

/* ---- number.c: 64-bit values ---- */

void lua_number_open(lua_State *L); /* needs ffi; adds to the table on top */
void lua_push_u64(lua_State *L, uint64_t value);
void lua_push_i64(lua_State *L, int64_t value);
uint64_t lua_check_u64(lua_State *L, int index);

/* ---- object.c ---- */

/* NULL becomes nil. */
void lua_push_object(lua_State *L, enum lua_class class, void *handle);
void *lua_check_object(lua_State *L, int index, enum lua_class class);
/* NULL: it is something else. */
void *lua_test_object(lua_State *L, int index, enum lua_class class);
/* The type of a value for messages: "frame" and not "userdata". Valid while the
 * value is on the stack. */
const char *lua_kind(lua_State *L, int index);
/* A number from first to last, as the constants of pmodule.TABLE are. */
unsigned lua_check_constant(
    lua_State *L, int index, unsigned first, unsigned last, const char *table);
bool lua_flag(lua_State *L, int index, bool otherwise);
/* NULL for nil. */
const pmodule_match_t *lua_optional_match(lua_State *L, int index);
/* Each pushes one value, and gives 1. NULL becomes nil; of a name "" as well.
 */
int lua_push_text(lua_State *L, const char *text);
int lua_push_name(lua_State *L, const char *name);
int lua_push_known(lua_State *L, bool known, uint64_t value);
void *lua_optional_object(lua_State *L, int index, enum lua_class class);
/* What the object holds ends with it, and not with the snapshot. */
void lua_own(lua_State *L, int index);
bool lua_owns(lua_State *L, int index);
/* Room inside a userdata of the class. */
void *lua_new_object(lua_State *L, enum lua_class class, size_t size);
/* Makes the class: methods by name, an unknown one is an error that suggests
 * a known one. gc, call: may be NULL. */
void lua_class_open(lua_State *L, enum lua_class class, const luaL_Reg *methods,
    lua_CFunction gc, lua_CFunction call);
/* The error for a name that is not in the table at index names: "no method 'x'
 * on frame; did you mean 'y'?" */
int lua_suggest(lua_State *L, const char *what, const char *owner,
    const char *name, int names);
/* Only its text, pushed. */
void lua_push_suggestion(lua_State *L, const char *what, const char *owner,
    const char *name, int names);
/* The methods of all classes, into the set at an index, which is the top. */
void lua_add_methods(lua_State *L, int set);
/* The text of arguments from `first` on: a format and what goes into it; a
 * text alone is taken as it is. Pushed; valid while on the stack. */
const char *lua_format(lua_State *L, int first);
/* obj:annotate(level, format, ...); what is dropped is said. */
int lua_annotated(lua_State *L, bool done, enum pmodule_level level);
enum pmodule_level lua_check_level(lua_State *L, int index);
int32_t lua_check_register(lua_State *L, int index);

void lua_backtrace_open(lua_State *L);
void lua_thread_open(lua_State *L);
void lua_frame_open(lua_State *L);
void lua_variable_open(lua_State *L);
void lua_raw_open(lua_State *L);
void lua_match_open(lua_State *L);
/* Classes and functions of raw variables; adds to the table on top. */
void lua_raw_functions(lua_State *L);
void lua_memory_open(lua_State *L); /* pmap, siginfo */
/* Functions of the heap: adds to the table on top. */
void lua_heap_functions(lua_State *L);
/* The functions of the table pmodule, which is on top. */
void lua_pmodule_open(lua_State *L);
void lua_push_raw(lua_State *L, const bt_variable_t *v);
/* pmodule.constraint { ... } */
int lua_constraint(lua_State *L);
/* The function that variables() of the backtrace or thread at index 1 gives. */
int lua_globals(lua_State *L);

#endif /* LUA_PRIVATE_H */

/* SPDX-License-Identifier: MIT */
/*
 * The shipped analysis modules and allocators, and Lua for modules of the
 * user's.
 */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/compose.h"
#include "lua/host.h"

/* modules/NAME.c defines pmodule_descriptor_NAME. */
extern const pmodule_descriptor_t pmodule_descriptor_fault;
extern const pmodule_descriptor_t pmodule_descriptor_sent;
extern const pmodule_descriptor_t pmodule_descriptor_abort;
extern const pmodule_descriptor_t pmodule_descriptor_elsewhere;
extern const pmodule_descriptor_t pmodule_descriptor_stack;
extern const pmodule_descriptor_t pmodule_descriptor_guard;
extern const pmodule_descriptor_t pmodule_descriptor_heap;
extern const pmodule_descriptor_t pmodule_descriptor_heap_use;
extern const pmodule_descriptor_t pmodule_descriptor_heap_check;
extern const pmodule_descriptor_t pmodule_descriptor_jump;
extern const pmodule_descriptor_t pmodule_descriptor_null;
extern const pmodule_descriptor_t pmodule_descriptor_pointer;
extern const pmodule_descriptor_t pmodule_descriptor_access;
extern const pmodule_descriptor_t pmodule_descriptor_arithmetic;
extern const pmodule_descriptor_t pmodule_descriptor_insn;
extern const pmodule_descriptor_t pmodule_descriptor_locks;
extern const pmodule_descriptor_t pmodule_descriptor_constraint;
extern const pmodule_descriptor_t pmodule_descriptor_hardware;
extern const pmodule_descriptor_t pmodule_descriptor_operand;
extern const pmodule_descriptor_t pmodule_descriptor_types;
extern const pmodule_descriptor_t pmodule_descriptor_security;
extern const pmodule_descriptor_t pmodule_descriptor_stale;
extern const pmodule_descriptor_t pmodule_descriptor_siginfo;

/* In the order of judgement: of findings with equal confidence the first is the
 * primary one, and later modules see what earlier ones found. */
static const pmodule_descriptor_t *const shipped[] = {
    &pmodule_descriptor_fault,
    &pmodule_descriptor_sent,
    &pmodule_descriptor_abort,
    &pmodule_descriptor_elsewhere,
    &pmodule_descriptor_stack,
    &pmodule_descriptor_guard,
    &pmodule_descriptor_heap,
    &pmodule_descriptor_heap_use,
    &pmodule_descriptor_jump,
    &pmodule_descriptor_null,
    &pmodule_descriptor_pointer,
    &pmodule_descriptor_access,
    &pmodule_descriptor_arithmetic,
    &pmodule_descriptor_insn,
    &pmodule_descriptor_locks,
    &pmodule_descriptor_constraint,
    &pmodule_descriptor_hardware,
    &pmodule_descriptor_security,
    &pmodule_descriptor_stale,
    &pmodule_descriptor_heap_check,
    &pmodule_descriptor_operand,
    &pmodule_descriptor_types,
};

/* Of other architectures than x86-64: those that read no instruction, no
 * register and no heap. */
static const pmodule_descriptor_t *const portable[] = {
    &pmodule_descriptor_fault,
    &pmodule_descriptor_sent,
    &pmodule_descriptor_abort,
    &pmodule_descriptor_siginfo,
};

/* allocators/NAME.c defines ptrace_allocator_NAME. */
extern const ptrace_allocator_t ptrace_allocator_ptmalloc;
extern const ptrace_allocator_t ptrace_allocator_jemalloc;
extern const ptrace_allocator_t ptrace_allocator_tcmalloc;
extern const ptrace_allocator_t ptrace_allocator_musl;

static const ptrace_allocator_t *const allocators[] = {
    &ptrace_allocator_ptmalloc,
    &ptrace_allocator_jemalloc,
    &ptrace_allocator_tcmalloc,
    &ptrace_allocator_musl,
};

void
compose_modules(struct session_options *o)
{
	o->analysis = shipped;
	o->n_analysis = sizeof(shipped) / sizeof(*shipped);
	o->portable = portable;
	o->n_portable = sizeof(portable) / sizeof(*portable);
	o->allocators = allocators;
	o->n_allocators = sizeof(allocators) / sizeof(*allocators);
}

void
compose_language(struct module_language *out, struct lua_settings *settings)
{

	lua_language_init(out, settings);
}

bool
compose_shipped_dir(char *out, size_t size)
{
	static const char *const places[] = {
	    INQUEST_MODULES_FROM_BIN, INQUEST_MODULES_IN_BUILD};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	while (n > 0 && exe[n - 1] != '/')
		n--;
	for (size_t i = 0; n > 0 && i < sizeof(places) / sizeof(*places); i++)
		if (snprintf(out, size, "%.*s%s", (int)n, exe, places[i]) <
			(int)size &&
		    access(out, F_OK) == 0)
			return true;
	return false;
}

bool
compose_is_library(const char *name)
{

	return lua_is_library(name);
}

const char *
compose_libraries(void)
{

	return lua_libraries;
}

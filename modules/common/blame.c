/* SPDX-License-Identifier: MIT */
/*
 * The lists behind the blamed frame. Each entry is here for a reason: what it
 * names runs on behalf of its caller and fails by its caller's arguments.
 */
#include <string.h>

#include "blame.h"

/* Libraries by the part of their name before ".so" or "-<version>". */
static const char *const libraries[] = {
    /* C library, threads, loader: arguments come from outside. */
    "libc", "libpthread", "libm", "librt", "libdl", "ld-linux-x86-64",
    "ld-musl-x86_64", "linux-vdso", "[vdso]", "ld",
    /* C++ and compiler run time. */
    "libstdc++", "libc++", "libc++abi", "libgcc_s", "libunwind", "libatomic",
    "libsupc++",
    /* GLib: its checks, containers and objects. */
    "libglib", "libgobject",
    /* Allocators: they fail on blocks that others damaged. */
    "libjemalloc", "libtcmalloc", "libtcmalloc_minimal", "libtcmalloc_debug",
    "libmimalloc", "libhoard", "libdmalloc", "libefence",
    /* Sanitizer run time. */
    "libasan", "libtsan", "libubsan", "liblsan"};

/* Functions that may be linked into the program itself (static libraries,
 * templates, inlines). A '*' at the end matches a prefix. */
static const char *const functions[] = {
    /* how a process dies */
    "abort", "raise", "gsignal", "kill", "tgkill", "pthread_kill*",
    "__pthread_kill*", "__libc_message*", "malloc_printerr", "__assert*",
    "__libc_fatal", "__addv*", "__subv*", "__mulv*", "__negv*", "__absv*",
    "__stack_chk_fail*", "__fortify_fail*", "__chk_fail", "std::terminate*",
    "std::__terminate*", "__cxxabiv1::*", "__cxa_*", "_Unwind_*",
    "__gxx_personality_v0", "__gnu_cxx::*", "std::__glibcxx_assert_fail*",
    "std::__throw_*", "std::__replacement_assert*", "__restore_rt",
    "rust_panic*", "rust_begin_unwind", "__rust_start_panic", "panic_abort::*",
    "panic_unwind::*", "std::panicking::*", "core::panicking::*",
    "std::process::abort", "core::result::unwrap_failed",
    "core::option::unwrap_failed", "core::option::expect_failed", "__rustc::*",
    "rust_eh_personality", "std::rt::*", "runtime.*", "runtime/*", "gopanic",
    "x_cgo_*", "crosscall*",
    /* memory: the caller chose the block */
    "operator new*", "operator delete*", "malloc", "free", "calloc", "realloc",
    "cfree", "__libc_malloc", "__libc_free", "__libc_realloc", "__libc_calloc",
    "_int_malloc", "_int_free*", "_int_realloc", "malloc_consolidate",
    "unlink_chunk*", "sysmalloc", "systrim", "munmap_chunk", "mremap_chunk",
    "_int_memalign", "tcache_*", "arena_for_chunk*", "je_*", "tc_*",
    "tcmalloc::*", "mi_*", "_mi_*",
    /* locks, statically linked: who waits is the caller */
    "__gthread_*", "__lll_*", "lll_*", "futex_*", "__futex_*", "__pthread_*",
    "___pthread_*", "pthread_mutex_*", "pthread_rwlock_*", "pthread_cond_*",
    "pthread_join", "__syscall_cp*", "__timedwait*", "__wait",
    /* templates of the C++ library and boost, generics of Rust's: inlined
     * into the caller */
    "std::*", "boost::*", "core::*", "alloc::*", "<core::*", "<alloc::*",
    "<std::*",
    /* the compiler's intrinsics: one instruction on behalf of the caller */
    "_mm_*", "_mm256_*", "_mm512_*",
    /* strings and blocks, statically linked */
    "memcpy*", "memmove*", "memset*", "memcmp*", "memchr*", "__mem*", "strlen*",
    "strcpy*", "strncpy*", "strcat*", "strncat*", "strcmp*", "strncmp*",
    "strchr*", "strrchr*", "strdup*", "strndup*", "strstr*", "__str*",
    "vfprintf*", "__vfprintf*", "printf", "fprintf", "sprintf", "snprintf",
    "vsnprintf", "puts", "fputs", "__*_chk"};

bool
blame_object_is(const char *object, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(object, name, n) != 0)
		return false;
	return object[n] == '\0' || strncmp(object + n, ".so", 3) == 0 ||
	    (object[n] == '-' && object[n + 1] >= '0' && object[n + 1] <= '9');
}

static bool
matches(const char *pattern, const char *symbol)
{
	size_t n = strlen(pattern);
	const char *star = strchr(pattern, '*'), *end = pattern + n;

	if (star == NULL) {
		/* A demangled name has its parameters behind it. */
		return strncmp(pattern, symbol, n) == 0 &&
		    (symbol[n] == '\0' || symbol[n] == '(' || symbol[n] == '.');
	}
	if (star + 1 == end)
		return strncmp(pattern, symbol, n - 1) == 0;
	/* "__*_chk" */
	return strncmp(pattern, symbol, (size_t)(star - pattern)) == 0 &&
	    strlen(symbol) >= n - 1 &&
	    strcmp(symbol + strlen(symbol) - (size_t)(end - star - 1),
		star + 1) == 0;
}

/* "std::vector<int>::at(unsigned long)" may carry its return type in front:
 * "int& std::vector<...>". What counts begins after the last space outside of
 * brackets before the parameters; looking for " std::" at depth 0 does it. */
static const char *
name_start(const char *symbol)
{
	const char *start = symbol;
	int depth = 0;

	for (const char *p = symbol; *p != '\0' && *p != '('; p++) {
		depth += (*p == '<') - (*p == '>');
		if (*p == ' ' && depth == 0 &&
		    strncmp(start, "operator", 8) != 0)
			start = p + 1;
	}
	return start;
}

bool
blame_is_machinery(const ptrace_frame_t *f)
{
	const char *object = ptrace_frame_object(f);
	const char *symbol = ptrace_frame_symbol(f);

	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++)
		if (blame_object_is(object, libraries[i]))
			return true;
	if (symbol[0] == '\0')
		return false;
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (matches(functions[i], symbol) ||
		    matches(functions[i], name_start(symbol)))
			return true;
	return false;
}

ptrace_frame_t *
blame_frame(ptrace_thread_t *thread, ptrace_frame_t *start)
{
	uint32_t first = start != NULL ? ptrace_frame_index(start) : 0;
	uint32_t n = ptrace_thread_n_frames(thread);
	/* A thread's own frames are near; past these it is all machinery. */
	const uint32_t far = 256;

	for (uint32_t i = first; i < n && i < first + far; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(thread, i);

		/* "[heap]": somebody jumped into data. */
		if (f != NULL && !blame_is_machinery(f) &&
		    strcmp(ptrace_frame_symbol(f), "_start") != 0 &&
		    ptrace_frame_object(f)[0] != '\0' &&
		    ptrace_frame_object(f)[0] != '[')
			return f;
	}
	return ptrace_thread_frame(thread, first);
}

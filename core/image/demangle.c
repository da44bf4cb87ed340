/* SPDX-License-Identifier: MIT */
/*
 * Demangling. libiberty bounds recursion, but not its output: substitutions
 * let a name of a few hundred bytes stand for gigabytes of text. So the forms
 * with a callback are used, and once the output cap is reached we jump out of
 * the demangler. That is safe for C++, whose demangler keeps everything on the
 * stack in this form; Rust's of the old scheme may lose a small buffer, once
 * per hostile name. Its demangler of the new one is not used: it counts
 * lifetimes up to any number, silently.
 */
#include "image/demangle.h"
#include "base/buf.h"
#include "image/demangle_rust.h"
#include <ctype.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>

#define INPUT_MAX 4096
#define OUTPUT_MAX 65536
#define D_REFERENCES_MAX 24

struct sink {
	char text[OUTPUT_MAX];
	size_t size;
	jmp_buf full;
};

static void
receive(const char *text, size_t len, void *opaque)
{
	struct sink *s = opaque;

	if (len >= sizeof(s->text) - s->size)
		longjmp(s->full, 1);
	if (len == 0)
		return;
	memcpy(s->text + s->size, text, len);
	s->size += len;
}

static bool
run(struct sink *s, const char *name, int options)
{
	s->size = 0;
	if (name[1] == 'R') {
		s->size = demangle_rust(name, s->text, sizeof(s->text));
		return s->size > 0;
	}
	if (setjmp(s->full) != 0)
		return false;
	/* Rust's old scheme is C++'s with a hash at the end: ask Rust first. */
	if (rust_demangle_callback(name, options, receive, s) != 0)
		return s->size > 0;
	s->size = 0;
	return cplus_demangle_v3_callback(name, options, receive, s) != 0 &&
	    s->size > 0;
}

/* The D demangler always prints parameters: cut the last pair of parentheses
 * with what is between. */
static void
cut_parameters(char *text)
{
	size_t n = strlen(text), depth = 0;

	if (n == 0 || text[n - 1] != ')')
		return;
	while (n-- > 0) {
		if (text[n] == ')')
			depth++;
		else if (text[n] == '(' && --depth == 0)
			break;
	}
	if (n > 0 && n < strlen(text))
		text[n] = '\0';
}

/* The D demangler has no callback, and back references ("Q") may double the
 * text each time: so many can make 3^(24/3) copies at most. */
static bool
is_tame_d(const char *name)
{
	size_t references = 0;

	for (; *name != '\0'; name++)
		references += *name == 'Q';
	return references <= D_REFERENCES_MAX;
}

/*
 * The D demangler takes memory by libiberty's xmalloc and xrealloc, which end
 * the process when there is none. These stand in their place, as the archive is
 * asked last, and leave the demangler instead; what it had is lost.
 */
static _Thread_local jmp_buf *no_memory;

void *xmalloc(size_t size);
void *xrealloc(void *p, size_t size);

static void *
or_leave(void *p)
{
	if (p == NULL && no_memory != NULL)
		longjmp(*no_memory, 1);
	return p;
}

void *
xmalloc(size_t size)
{

	return or_leave(malloc(size != 0 ? size : 1));
}

void *
xrealloc(void *p, size_t size)
{

	return or_leave(realloc(p, size != 0 ? size : 1));
}

static char *
run_d(const char *name)
{
	jmp_buf leave;
	char *text = NULL;

	no_memory = &leave;
	if (setjmp(leave) == 0)
		text = dlang_demangle(name, DMGL_PARAMS);
	no_memory = NULL;
	return text;
}

static const char *
demangle_d(struct arena *a, const char *name, bool params)
{
	const char *copy = NULL;
	char *text;

	if (!is_tame_d(name))
		return NULL;
	text = run_d(name);
	if (text != NULL && !params)
		cut_parameters(text);
	if (text != NULL && strnlen(text, OUTPUT_MAX) < OUTPUT_MAX)
		copy = arena_strdup(a, text);
	free(text);
	return copy;
}

const char *
demangle(struct arena *a, const char *linkage_name, bool params)
{
	int options = params ? DMGL_PARAMS | DMGL_ANSI : DMGL_ANSI;
	const char *out = NULL;
	struct sink *s;

	/* _Z, _R, _D, _GLOBAL_: whatever is mangled begins so. */
	if (linkage_name[0] != '_' ||
	    strnlen(linkage_name, INPUT_MAX) == INPUT_MAX)
		return NULL;
	if (linkage_name[1] == 'D')
		return demangle_d(a, linkage_name, params);
	if (linkage_name[1] != 'Z' && linkage_name[1] != 'R' &&
	    linkage_name[1] != 'G' && linkage_name[1] != '_')
		return NULL;
	s = malloc(sizeof(*s));
	if (s == NULL)
		return NULL;
	if (run(s, linkage_name, options))
		out = arena_strndup(a, s->text, s->size);
	free(s);
	return out;
}

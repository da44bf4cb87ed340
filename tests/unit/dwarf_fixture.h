/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the dwarf room share: building the programs beside this
 * file (tests/unit/dwarf/), opening their DWARF, finding addresses, writing a
 * plan as text.
 */
#ifndef DWARF_FIXTURE_H
#define DWARF_FIXTURE_H

#include "image_fixture.h"

#include "base/buf.h"
#include "dwarf/private.h"

struct subject {
	struct image *image;
	struct dwarf *dwarf;
	struct debugfile_finder finder;
	unsigned warnings;
	char last_warning[256];
};

static inline void
note_warning(void *ctx, const char *code, const char *text)
{
	struct subject *s = ctx;

	s->warnings++;
	snprintf(
	    s->last_warning, sizeof(s->last_warning), "%s: %s", code, text);
}

/* The image that has the DWARF of a program; NULL: none. */
static inline struct image *
debug_image_of(const char *path)
{
	struct debugfile_finder finder = {
	    .opener = test_opener(), .dirs = debugfile_default_dirs};
	struct image *image = must_open(path), *debug = NULL;
	bt_error_t e;

	if (!debugfile_find(&finder, image, path, &debug, &e))
		debug = NULL;
	image_unref(image);
	return debug;
}

static inline void
open_with_budget(struct subject *s, const char *path, struct budget *budget)
{
	struct dwarf_options options = {
	    .budget = budget, .warn = note_warning, .ctx = s};
	bt_error_t e;

	memset(s, 0, sizeof(*s));
	s->image = debug_image_of(path);
	assert_not_null(s->image);
	s->finder.opener = test_opener();
	s->finder.dirs = debugfile_default_dirs;
	options.finder = &s->finder;
	assert_ok(dwarf_open(s->image, &options, &s->dwarf, &e), &e);
}

static inline void
open_subject(struct subject *s, const char *path)
{
	open_with_budget(s, path, NULL);
}

static inline void
close_subject(struct subject *s)
{
	dwarf_close(s->dwarf);
	image_unref(s->image);
}

/* tests/unit/dwarf/NAME */
static inline const char *
dwarf_source(const char *name)
{
	return test_format("%s/tests/unit/dwarf/%s", TEST_SOURCE_DIR, name);
}

/* Compiles sources of that folder; false when the compiler cannot. */
static inline bool
compile(const char *out, const char *compiler, const char *flags,
    const char *sources)
{
	return test_shell("cd %s/tests/unit/dwarf && %s -w %s -o %s %s "
			  ">/dev/null 2>&1",
		   TEST_SOURCE_DIR, compiler, flags, out, sources) == 0;
}

static inline uint64_t
address_of(const struct subject *s, const char *symbol)
{
	struct image_symbol found;

	if (!image_symbol_named(s->image, symbol, &found))
		fail("no symbol %s", symbol);
	return found.value;
}

/* The variable of a scope, or NULL. */
static inline const struct dwarf_variable *
variable_named(const struct dwarf_scope *scope, const char *name)
{
	for (unsigned i = 0; i < scope->n_variables; i++) {
		const struct dwarf_variable *v = &scope->variables[i];

		if (v->name != NULL && strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

/* A type of a variable of the innermost scope at a symbol, past its prologue:
 * variables are in scope from the first line on. */
static inline const struct dwarf_type *
type_of_local(struct subject *s, const char *function, const char *name)
{
	const struct dwarf_plan *plan = dwarf_plan_at(
	    s->dwarf, address_of(s, function) + 8, true);
	const struct dwarf_variable *v;

	assert_not_null(plan);
	assert_true(plan->n_scopes > 0);
	v = variable_named(&plan->scopes[0], name);
	if (v == NULL)
		fail("no variable %s in %s", name, function);
	return v->type;
}

#endif /* DWARF_FIXTURE_H */

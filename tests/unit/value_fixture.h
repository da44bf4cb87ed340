/* SPDX-License-Identifier: MIT */
/*
 * Real programs for tests of values: compiled, run under GDB, which writes a
 * core where they stop, and opened as a session has them.
 */
#ifndef VALUE_FIXTURE_H
#define VALUE_FIXTURE_H

#include "harness/test.h"
#include "same_variables.h"
#include "snapshot/pack.h"
#include "value/value.h"

enum { MODULES_MAX = 64 };

struct session {
	struct opener_local opener;
	struct target *target;
	struct unwinder *unwinder;
	struct budget budget;
	struct snapshot snapshot;
	struct value_reader *reader;
	struct dwarf *dwarfs[MODULES_MAX];
	struct unwind_stack stack;
};

static inline bool
have(const char *program)
{
	return test_shell("command -v %s >/dev/null 2>&1", program) == 0;
}

/* Builds SOURCE and takes a core where it raises SIGABRT or faults. */
static inline void
make_core(const char *compiler, const char *options, const char *file,
    const char *source)
{
	if (have(compiler) == false || have("gdb") == false)
		skip("needs %s and gdb", compiler);
	test_write_file(test_path(file), source, strlen(source));
	assert_int(test_shell("cd '%s' && %s -g %s -o p %s -lm", test_dir(),
		       compiler, options, file),
	    0);
	assert_int(
	    test_shell("cd '%s' && gdb -nx -batch -iex "
		       "'set debuginfod enabled off' -ex run -ex "
		       "'generate-core-file core' ./p </dev/null >log 2>&1",
		test_dir()),
	    0);
}

static inline struct dwarf *
dwarf_of(void *ctx, struct target_module *module)
{
	struct session *s = ctx;
	struct dwarf_options options = {.budget = &s->budget};
	struct image *debug;

	if (module->is_exe == false)
		return NULL;
	if (s->dwarfs[0] == NULL &&
	    (debug = target_module_debug(s->target, module)) != NULL &&
	    dwarf_open(debug, &options, &s->dwarfs[0], NULL) == false)
		return NULL;
	return s->dwarfs[0];
}

static inline void
open_core(struct session *s)
{
	struct target_options options = {
	    .opener = &s->opener.base,
	    .finder = {.opener = &s->opener.base,
		.dirs = debugfile_default_dirs},
	    .core_path = test_path("core"),
	    .exe_path = test_path("p"),
	    .budget = &s->budget,
	};
	struct value_reader_options reader = {
	    .snapshot = &s->snapshot,
	    .budget = &s->budget,
	    .dwarf_of = dwarf_of,
	    .ctx = s,
	};
	struct target_thread *threads;
	bt_error_t e;

	memset(s, 0, sizeof(*s));
	budget_init(&s->budget, UINT64_C(1) << 40, 0);
	assert_ok(opener_local_init(&s->opener, NULL, &e), &e);
	assert_ok(target_core_open(&options, &s->target, &e), &e);
	s->unwinder = unwinder_create(s->target, &s->budget);
	assert_true(snapshot_init(&s->snapshot, 64 << 20));
	reader.target = s->target;
	reader.unwinder = s->unwinder;
	s->reader = value_reader_create(&reader);
	assert_true(s->reader != NULL);
	assert_true(target_threads(s->target, &threads) >= 1);
	unwind_stack_init(&s->stack, 1000);
	unwind_thread(s->unwinder, &threads[0], &s->stack);
}

static inline void
close_core(struct session *s)
{
	unwind_stack_deinit(&s->stack);
	value_reader_destroy(s->reader);
	snapshot_deinit(&s->snapshot);
	dwarf_close(s->dwarfs[0]);
	unwinder_destroy(s->unwinder);
	target_close(s->target);
	opener_local_deinit(&s->opener);
}

/* Frames are read as nodes, packed; those at a pc that was seen before become
 * rows at once. All ways lead to the same. */
static inline void
expect_same_packed(
    struct session *s, struct value_frame frame, const struct snap_frame *nodes)
{
	frame.pack = true;
	for (int i = 0; i < 4; i++) {
		struct snap_frame out = {.location = NULL};

		value_frame_variables(s->reader, &frame, &out);
		expect_true(
		    out.variables_collected == nodes->variables_collected);
		snapshot_unpack(&s->snapshot, &out);
		assert_int(out.n_variables, nodes->n_variables);
		expect_true(same_variables(
		    out.variables, nodes->variables, nodes->n_variables));
	}
}

/* The variables of a function's activation in that physical frame. */
static inline bool
read_frame(struct session *s, size_t index, const char *function, bool follow,
    struct snap_frame *out)
{
	struct unwind_frame *f = s->stack.frames.items[index];
	struct value_frame frame = {
	    .stack = &s->stack,
	    .index = index,
	    .follow = follow,
	};
	struct target_thread *threads;

	(void)target_threads(s->target, &threads);
	frame.thread = &threads[0];
	if (f->module == NULL || (frame.dwarf = dwarf_of(s, f->module)) == NULL)
		return false;
	frame.plan = dwarf_plan_at(
	    frame.dwarf, unwind_lookup_pc(f) - f->module->bias, true);
	for (unsigned k = 0; frame.plan != NULL && k < frame.plan->n_scopes;
	     k++) {
		if (strcmp(frame.plan->scopes[k].name, function) != 0)
			continue;
		frame.scope = k;
		memset(out, 0, sizeof(*out));
		value_frame_variables(s->reader, &frame, out);
		expect_same_packed(s, frame, out);
		return out->variables_collected;
	}
	return false;
}

static inline bool
variables_at(struct session *s, size_t index, const char *function,
    struct snap_frame *out)
{
	return read_frame(s, index, function, false, out);
}

/* The variables of the first activation of a function. */
static inline bool
variables_of(struct session *s, const char *function, bool follow,
    struct snap_frame *out)
{
	for (size_t i = 0; i < s->stack.frames.count; i++) {
		if (read_frame(s, i, function, follow, out))
			return true;
	}
	return false;
}

#endif /* VALUE_FIXTURE_H */

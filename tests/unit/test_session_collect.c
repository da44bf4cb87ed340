/* SPDX-License-Identifier: MIT */
/*
 * Collecting real cores, in this very process: which frames a stack has, tail
 * calls included, and what the options change.
 */
#include <signal.h>
#include <unistd.h>

#include "base/budget.h"
#include "formats/btt.h"
#include "session/supervisor.h"
#include "session_fixture.h"

/* ---- programs and their cores ---- */

static const char tail_source[] =
    "#define OWN __attribute__((noipa))\n"
    "volatile int zero;\n"
    "OWN static void sink(int x) { *(volatile int *)(long)zero = x; }\n"
    "OWN static void via_a(int x) { zero++; zero--; sink(x + 1); }\n"
    "OWN static void via_b(int x) { zero--; zero++; sink(x + 2); }\n"
    "OWN static void split(int x) { if (x & 1) via_a(x); else via_b(x); }\n"
    "OWN static void top(int x) { zero += 3; zero -= 3; split(x * 3); }\n"
    "OWN static void only(int x) { zero += 4; zero -= 4; sink(x * 5); }\n"
    "OWN static void above(int x) { zero += 5; zero -= 5; only(x * 7); }\n"
    "static void (*volatile anywhere)(int) = via_a;\n"
    "OWN static void blind(int x) { zero += 6; zero -= 6; anywhere(x); }\n"
    "OWN static int start(int c)\n"
    "{ if (c == 1) above(c); else if (c == 2) top(c); else blind(c);\n"
    "  return zero + 1; }\n"
    "int main(int argc, char **argv) { (void)argv;\n"
    "  return start(argc) + argc; }\n";

static const char deep_source[] =
    "struct link { struct link *up; int n; };\n"
    "volatile int sum;\n"
    "__attribute__((noinline)) static int down(struct link *up, int n)\n"
    "{ struct link here = {up, n}; int r;\n"
    "  if (n == 0) *(volatile int *)0 = 1;\n"
    "  r = down(&here, n - 1); sum += r; return r + here.n; }\n"
    "int main(void) { return down(0, 100000); }\n";

/* Builds the source and lets it crash; the core's path. */
static const char *
crash(const char *source, const char *flags, const char *arguments)
{
	static char core[4096];
	char *text;

	test_write_file(test_path("p.c"), source, strlen(source));
	if (test_shell("gcc -g %s -o %s %s", flags, test_path("p"),
		test_path("p.c")) != 0 ||
	    test_shell("/usr/bin/python3 %s/tests/lib/crash.py %s %s %s > %s",
		TEST_SOURCE_DIR, test_dir(), test_path("p"), arguments,
		test_path("core.txt")) != 0)
		skip("no compiler, or no core");
	text = test_read_file(test_path("core.txt"), NULL);
	(void)snprintf(
	    core, sizeof(core), "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return core;
}

static struct session_options
options(const char *core)
{

	return (struct session_options){
	    .core_path = core,
	    .exe_path = test_path("p"),
	    .variables = true,
	    .memory = true,
	    .modules = true,
	};
}

static void
collect(const struct session_options *o, struct snapshot *s)
{
	struct session_sink sink = {.ctx = NULL};
	struct session_stats stats;
	bt_error_t e;

	test_ok(TEST_HARD, "session_collect",
	    session_collect(o, &sink, s, &stats, &e), &e);
	expect_true(stats.frames != 0 && stats.distinct_pcs != 0);
	free(stats.searches.data);
	assert_true(s->threads.count != 0);
}

/* The frames of the first thread up to main: "sink top* main", a star for one
 * that left the stack. */
static const char *
names(const struct snapshot *s)
{
	const struct snap_thread *t = &s->threads.items[0];
	const char *text = "";

	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];

		text = test_format("%s%s%s%s", text, i != 0 ? " " : "",
		    f->location->symbol,
		    strcmp(f->trust, "tailcall") == 0 ? "*" : "");
		if (strcmp(f->location->symbol, "main") == 0)
			break;
	}
	return text;
}

static const struct snap_variable *
variable(const struct snapshot *s, const char *function, const char *name)
{
	const struct snap_thread *t = &s->threads.items[0];

	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];

		for (uint32_t k = 0; k < f->n_variables &&
		     strcmp(f->location->symbol, function) == 0;
		     k++)
			if (strcmp(f->variables[k].name, name) == 0)
				return &f->variables[k];
	}
	return NULL;
}

/* ---- tail calls ---- */

static void
tail_case(const char *arguments, const char *want)
{
	struct session_options o = options(
	    crash(tail_source, "-O2", arguments));
	struct snapshot s;

	collect(&o, &s);
	expect_str(names(&s), want);
	snapshot_deinit(&s);
}

/* One way from the caller to the callee: all of it is shown. */
TEST_WITHIN(tail_calls, 60)
{
	tail_case("", "sink only* above* start main");
}

/* Two ways: what both have in common. */
TEST_WITHIN(ambiguous_tail_calls, 60)
{
	tail_case("x", "sink top* start main");
}

/* A jump to nobody knows where: nothing is claimed. */
TEST_WITHIN(unknown_tail_calls, 60)
{
	tail_case("x y", "sink start main");
}

/* ---- what the options change ---- */

TEST_WITHIN(options_count, 60)
{
	struct session_options o = options(crash(tail_source, "-O0", ""));
	const struct snap_variable *x;
	struct snapshot s;

	collect(&o, &s);
	expect_str(names(&s), "sink only above start main");
	x = variable(&s, "sink", "x");
	assert_not_null(x);
	expect_int(x->value.i, 35);
	expect_str(
	    s.threads.items[0].frames[0].location->path, test_path("p.c"));
	expect_uint(s.threads.items[0].frames[0].location->line, 3);
	expect_true(s.modules.count > 1 && s.mappings.count > 3);
	expect_true(s.memory.count >= 2);
	expect_uint(strlen(s.fingerprint), 64);
	expect_uint(s.callstack.count, 5);
	expect_int(s.signal.number, SIGSEGV);
	snapshot_deinit(&s);

	/* Stacks alone. */
	o.variables = o.memory = o.modules = false;
	collect(&o, &s);
	expect_str(names(&s), "sink only above start main");
	expect_null(variable(&s, "sink", "x"));
	expect_uint(s.modules.count + s.mappings.count + s.memory.count, 0);
	snapshot_deinit(&s);

	/* Without debug information: names from the symbol table. */
	o.skip = 1 << SESSION_FAULT;
	collect(&o, &s);
	expect_str(names(&s), "sink only above start main");
	expect_str(s.threads.items[0].frames[0].location->path, "");
	expect_true(s.threads.items[0].frames[0].location->has_offset);
	snapshot_deinit(&s);
}

TEST_WITHIN(globals_and_their_absence, 60)
{
	struct session_options o = options(crash(tail_source, "-O0", ""));
	struct snapshot s;

	o.globals = (const char *const[]){"zero", "nowhere", NULL};
	collect(&o, &s);
	assert_uint(s.globals.count, 1);
	expect_str(s.globals.items[0].name, "zero");
	expect_int(s.globals.items[0].value.i, 0);
	assert_true(s.warnings.count != 0);
	expect_contains(s.warnings.items[s.warnings.count - 1].text, "nowhere");
	snapshot_deinit(&s);
}

/* ---- size and time ---- */

TEST_WITHIN(deep_recursion, 60)
{
	enum { KEPT = 65536, DEPTH = 100000 };
	struct session_options o;
	const struct snap_thread *t;
	struct snapshot s;

	/* The default stack of 8 MiB has room for it. */
	o = options(crash(deep_source, "-O1 -fno-optimize-sibling-calls", ""));
	collect(&o, &s);
	t = &s.threads.items[0];
	expect_true(t->n_frames >= KEPT - 8 && t->n_frames <= KEPT + 8);
	expect_true(t->frames_skipped > DEPTH - KEPT - 8);
	expect_true(t->frames_skipped_at > KEPT / 4);
	expect_str(t->frames[0].location->symbol, "down");
	/* Values on both sides of the gap. */
	expect_not_null(variable(&s, "down", "here"));
	for (uint32_t i = t->n_frames - 8; i < t->n_frames; i++)
		if (strcmp(t->frames[i].location->symbol, "main") == 0)
			goto found;
	fail("the outer end of the stack is gone");
found:
	snapshot_deinit(&s);
}

static const char noise_source[] =
    "volatile unsigned seed = 1, sum;\n"
    "__attribute__((noinline)) static unsigned down(int n)\n"
    "{ unsigned noise[48];\n"
    "  for (int i = 0; i < 48; i++)\n"
    "    noise[i] = seed = seed * 1664525u + 1013904223u ^ seed >> 7;\n"
    "  if (n == 0) *(volatile int *)0 = 1;\n"
    "  sum += down(n - 1); return noise[n % 48]; }\n"
    "int main(void) { return (int)down(2000); }\n";

/* Values that no compression makes fit: the outer frames give theirs up. */
TEST_WITHIN(values_over_the_cap, 60)
{
	struct session_options o = options(crash(noise_source, "-O0", ""));
	struct supervisor_output output = {.path = test_path("out.btt")};
	struct supervisor_console console = {.ctx = NULL};
	const struct snap_thread *t;
	const struct snap_variable *v;
	struct snapshot s;
	bool partial;
	char *path, *data;
	size_t size;
	bt_error_t e;

	o.max_size = SESSION_MIN_MAX_SIZE;
	test_ok(TEST_HARD, "supervisor_snapshot",
	    supervisor_snapshot(&o, &output, &console, &path, &partial, &e),
	    &e);
	expect_true(partial);
	data = test_read_file(path, &size);
	expect_true(size <= SESSION_MIN_MAX_SIZE + 4096);
	assert_true(snapshot_init(&s, 256 * 1024 * 1024));
	test_ok(TEST_HARD, "btt_read", btt_read(data, size, &s, &e), &e);
	t = &s.threads.items[0];
	assert_true(t->n_frames > 2000);
	v = variable(&s, "down", "noise");
	assert_not_null(v);
	expect_int(v->kind, SNAP_ARRAY);
	expect_uint(v->n_children, 48);
	expect_uint(t->frames[1900].n_variables, 0);
	snapshot_deinit(&s);
	free(data);
	free(path);
}

/* With no time at all there are threads and registers, and it is said. */
TEST_WITHIN(no_time, 60)
{
	struct session_options o = options(
	    crash(deep_source, "-O1 -fno-optimize-sibling-calls", ""));
	struct session_sink sink = {.ctx = NULL};
	uint64_t before = bt_now_ns();
	struct snapshot s;
	bt_error_t e;

	o.timeout_ns = 2000000;
	if (session_collect(&o, &sink, &s, NULL, &e)) {
		expect_true(s.partial);
		assert_uint(s.threads.count, 1);
		expect_true(s.threads.items[0].n_registers != 0);
		expect_true(s.warnings.count != 0);
	}
	expect_true(bt_now_ns() - before < UINT64_C(5000000000));
	snapshot_deinit(&s);
}

/* ---- the snapshot's own facts ---- */

static enum session_stage seen[32];
static size_t n_seen;

static void
see(void *ctx, enum session_stage stage, struct snapshot *s)
{

	(void)ctx;
	(void)s;
	if (n_seen < 32)
		seen[n_seen++] = stage;
}

TEST(stages_come_in_order)
{
	struct session_options o = {
	    .core_path = fixture_core(), .variables = true};
	struct session_sink sink = {.finished = see};
	struct snapshot s;
	bt_error_t e;

	test_ok(TEST_HARD, "session_collect",
	    session_collect(&o, &sink, &s, NULL, &e), &e);
	assert_uint(n_seen, SESSION_RESOURCES - SESSION_FAULT + 1);
	for (size_t i = 0; i < n_seen; i++)
		expect_int(seen[i], (int)i + SESSION_FAULT);
	/* Version 4, variant 10: RFC 9562. */
	expect_int(s.uuid[6] >> 4, 4);
	expect_int(s.uuid[8] >> 6, 2);
	expect_contains(s.generator, "inquest ");
	snapshot_deinit(&s);
}

TEST(not_a_core)
{
	struct session_options o = {.core_path = test_path("none")};
	struct session_sink sink = {.ctx = NULL};
	struct snapshot s;
	bt_error_t e;

	expect_false(session_collect(&o, &sink, &s, NULL, &e));
	expect_contains(e.text, test_path("none"));
	snapshot_deinit(&s);
}

TEST(levels)
{
	enum session_level l;

	expect_true(session_level_parse("WARNING", &l) && l == SESSION_WARNING);
	expect_true(session_level_parse("debug", &l) && l == SESSION_DEBUG);
	expect_false(session_level_parse("loud", &l));
	expect_str(session_level_name(SESSION_ERROR), "error");
	expect_str(session_level_name(SESSION_LEVEL__COUNT), "?");
	expect_str(session_stage_name(SESSION_STAGE__COUNT), "?");
}

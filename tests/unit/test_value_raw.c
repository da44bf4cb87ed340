/* SPDX-License-Identifier: MIT */
/*
 * Raw variables: each step from one to the next, in the core of a real C++
 * program and of an optimised C program whose values are in registers and
 * nowhere, and steps that lead out of what is there.
 */
#include "unit/value_fixture.h"
#include "value/raw.h"

/* The raw part of the variable of that name, in the first activation of a
 * function. */
static struct value_raw
raw_of(struct session *s, const char *function, const char *name)
{
	struct target_thread *threads;
	struct snap_frame shown;
	struct value_raw raw = {0};

	(void)target_threads(s->target, &threads);
	for (size_t i = 0; i < s->stack.frames.count; i++) {
		struct unwind_frame *f = s->stack.frames.items[i];
		struct value_frame frame = {
		    .stack = &s->stack, .index = i, .thread = &threads[0]};

		if (read_frame(s, i, function, false, &shown) == false)
			continue;
		frame.dwarf = dwarf_of(s, f->module);
		frame.plan = dwarf_plan_at(
		    frame.dwarf, unwind_lookup_pc(f) - f->module->bias, true);
		while (
		    strcmp(frame.plan->scopes[frame.scope].name, function) != 0)
			frame.scope++;
		for (uint32_t k = 0; k < shown.n_variables; k++)
			if (strcmp(shown.variables[k].name, name) == 0) {
				assert_true(value_raw_frame(
				    s->reader, &frame, k, &raw));
				return raw;
			}
	}
	fail("no variable %s in %s", name, function);
	return raw;
}

static struct value_raw
member(struct value_raw v, const char *name)
{
	struct value_raw out;
	bt_error_t e;

	assert_ok(value_raw_member(&v, name, &out, &e), &e);
	return out;
}

static uint64_t
number(struct value_raw v)
{
	uint64_t value = 0;
	bt_error_t e;

	expect_ok(value_raw_number(&v, &value, &e), &e);
	return value;
}

static void
expect_no_member(struct value_raw v, const char *name, const char *why)
{
	struct value_raw out;
	bt_error_t e = {0};

	expect_false(value_raw_member(&v, name, &out, &e));
	expect_contains(e.text, why);
}

static void
expect_unreadable(struct value_raw v, uint64_t address)
{
	uint64_t value;
	bt_error_t e;

	expect_code(value_raw_number(&v, &value, &e), &e, BT_E_FAULT);
	expect_uint(e.address, address);
}

static void
expect_raw_text(struct value_raw v, size_t size, const char *wanted)
{
	char text[64];
	bt_error_t e;
	ssize_t n = value_raw_text(&v, text, size, &e);

	if (wanted == NULL) {
		expect_int(n, -1);
		return;
	}
	expect_int(n, (long long)strlen(wanted));
	expect_str(n >= 0 ? text : "", wanted);
}

static const char source[] =
    "#include <cstdlib>\n"
    "enum shade { DARK = -2, LIGHT = 3 };\n"
    "struct node { node *next; int v; };\n"
    "struct base { int shared; int of_base; virtual ~base() {} };\n"
    "struct left : virtual base { int l; };\n"
    "struct right : virtual base { int r; };\n"
    "struct derived : left, right { int shared; int own; };\n"
    "union either { int i; float f; struct { short low, high; }; };\n"
    "struct all {\n"
    "  int plain; unsigned low : 3; int high : 5; shade s;\n"
    "  either e; node *list, **deep, ***deeper; char text[8];\n"
    "  const char *said; char *nowhere; int numbers[3];\n"
    "  int grid[2][3]; int (*code)(int); const int &same;\n"
    "  void *unknown; unsigned char big[5000]; node nodes[2];\n"
    "  bool yes; __int128 wide; node *wild; double d;\n"
    "};\n"
    "static node one = {nullptr, 1}, two = {&one, 2};\n"
    "static node *p = &two, **pp = &p;\n"
    "static int f(int x) { return x; }\n"
    "static derived object;\n"
    "__attribute__((noinline)) void stop(all *a, derived *d)\n"
    "{ volatile bool never = false; abort(); (void)a; (void)d; }\n"
    "int main() {\n"
    "  int x = 77;\n"
    "  all a = {-1, 5, -3, DARK, {0x00020001}, &two, &p, &pp, \"short\",\n"
    "    \"said\", (char *)8, {1, 2, 3}, {{1, 2, 3}, {4, 5, 6}}, f, x, &x,\n"
    "    {9}, {{nullptr, 10}, {&one, 11}}, true, 1, (node *)16, 0.5};\n"
    "  object.shared = 1; object.base::shared = 2; object.l = 3;\n"
    "  object.r = 4; object.of_base = 5; object.own = 6;\n"
    "  stop(&a, &object); return 0; }\n";

static void
check_members(struct session *s)
{
	struct value_raw a = raw_of(s, "main", "a"), v;
	struct value_raw d = raw_of(s, "stop", "d");

	expect_int((int64_t)number(member(a, "plain")), -1);
	expect_int((int64_t)number(member(a, "low")), 5);
	expect_int((int64_t)number(member(a, "high")), -3);
	expect_int((int64_t)number(member(a, "s")), -2);
	expect_int((int64_t)number(member(a, "yes")), 1);
	/* A reference is a pointer that is written otherwise. */
	v = member(a, "same");
	assert_true(value_raw_deref(&v, &v, NULL));
	expect_int((int64_t)number(v), 77);
	/* Of unions, and of structs without a name within. */
	expect_int((int64_t)number(member(member(a, "e"), "i")), 0x20001);
	expect_int((int64_t)number(member(member(a, "e"), "high")), 2);
	/* Through pointers, as many as it takes. */
	expect_int((int64_t)number(member(member(a, "list"), "v")), 2);
	expect_int((int64_t)number(member(member(a, "deep"), "v")), 2);
	v = member(member(a, "deeper"), "next");
	expect_int((int64_t)number(member(v, "v")), 1);
	/* There is such a member, at an address that has nothing. */
	expect_unreadable(member(member(v, "next"), "v"), 8);
	expect_unreadable(member(member(a, "wild"), "v"), 24);
	expect_no_member(a, "nobody", "no member 'nobody'");
	expect_no_member(a, "", "no member ''");
	expect_no_member(member(a, "plain"), "x", "");
	expect_no_member(member(a, "unknown"), "x", "no type");
	/* Own members before those of bases; virtual bases by the vtable. */
	expect_int((int64_t)number(member(d, "shared")), 1);
	expect_int((int64_t)number(member(d, "of_base")), 5);
	expect_int((int64_t)number(member(d, "l")), 3);
	expect_int((int64_t)number(member(d, "r")), 4);
	expect_int((int64_t)number(member(d, "own")), 6);
}

static void
check_steps(struct session *s)
{
	struct value_raw a = raw_of(s, "main", "a"), v, w;
	bt_error_t e;

	/* Elements, by number. */
	v = member(a, "numbers");
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(value_raw_child(&v, i, &w));
		expect_int((int64_t)number(w), i + 1);
	}
	v = member(a, "grid");
	assert_true(value_raw_child(&v, 1, &w) && value_raw_child(&w, 2, &v));
	expect_int((int64_t)number(v), 6);
	v = member(a, "nodes");
	assert_true(value_raw_child(&v, 1, &w));
	expect_int((int64_t)number(member(w, "v")), 11);
	expect_false(value_raw_child(&w, 2, &v));
	v = member(a, "plain");
	expect_false(value_raw_child(&v, 0, &w));
	/* Following. */
	v = member(a, "list");
	assert_ok(value_raw_deref(&v, &w, &e), &e);
	expect_int((int64_t)number(member(w, "v")), 2);
	v = member(a, "plain");
	expect_code(value_raw_deref(&v, &w, &e), &e, BT_E_USAGE);
	v = member(a, "unknown");
	expect_code(value_raw_deref(&v, &w, &e), &e, BT_E_NOTFOUND);
	/* The same type elsewhere, and nowhere. */
	v = member(a, "list");
	assert_ok(value_raw_deref(&v, &w, &e), &e);
	assert_ok(
	    value_raw_at(&w, w.shape, number(member(w, "next")), &v, &e), &e);
	expect_int((int64_t)number(member(v, "v")), 1);
	expect_true(value_raw_readable(&v, &e));
	assert_ok(value_raw_at(&w, w.shape, 16, &v, &e), &e);
	expect_code(value_raw_readable(&v, &e), &e, BT_E_FAULT);
	expect_uint(e.address, 16);
	v = member(v, "v");
	expect_false(value_raw_number(&v, &(uint64_t){0}, &e));
	expect_code(value_raw_at(&w, NULL, 16, &v, &e), &e, BT_E_USAGE);
}

static void
check_contents(struct session *s)
{
	struct value_raw a = raw_of(s, "main", "a"), v;
	struct snap_variable shown;
	uint64_t x;
	bt_error_t e;

	expect_raw_text(member(a, "text"), 64, "short");
	expect_raw_text(member(a, "text"), 3, "sh");
	expect_raw_text(member(a, "said"), 64, "said");
	expect_raw_text(member(a, "said"), 2, "s");
	expect_raw_text(member(a, "said"), 0, NULL);
	expect_raw_text(member(a, "nowhere"), 64, NULL);
	expect_raw_text(member(a, "plain"), 64, NULL);
	v = member(a, "said");
	assert_true(value_raw_deref(&v, &v, NULL));
	expect_raw_text(v, 64, "said"); /* from its first character on */
	v = member(a, "d");
	expect_code(value_raw_number(&v, &x, &e), &e, BT_E_USAGE);
	expect_contains(e.text, "double is no number");
	v = member(a, "wide");
	expect_code(value_raw_number(&v, &x, &e), &e, BT_E_UNSUPPORTED);
	expect_code(value_raw_number(&a, &x, &e), &e, BT_E_USAGE);
	v = member(a, "big");
	expect_true(value_raw_readable(&v, &e));
	v = member(a, "code");
	expect_true(number(v) != 0);
	value_raw_fill(&v, &shown);
	expect_int(shown.kind, SNAP_FUNCTION);
	v = member(a, "s");
	value_raw_fill(&v, &shown);
	expect_int(shown.kind, SNAP_ENUM);
	expect_str(shown.string, "DARK");
	v = member(a, "nodes");
	value_raw_fill(&v, &shown);
	expect_int(shown.kind, SNAP_ARRAY);
	expect_int(shown.n_children, 2);
	expect_int(shown.children[1].children[1].value.i, 11);
}

static void
check_types(struct session *s)
{
	struct value_raw a = raw_of(s, "main", "a"), v;
	struct value_reader *r = s->reader;
	struct shape *shape;

	v = member(a, "deeper");
	expect_str(value_shape_name(v.shape), "node ***");
	expect_int(value_shape_kind(v.shape), VALUE_RAW_POINTER);
	expect_str(value_shape_name(value_shape_base(r, v.shape)), "node");
	expect_str(value_base_name(r, v.shape), "node");
	expect_uint(value_shape_size(r, v.shape), 8);
	shape = value_shape_target(r, v.shape);
	expect_str(value_shape_name(shape), "node **");
	v = member(a, "grid");
	expect_int(value_shape_kind(v.shape), VALUE_RAW_ARRAY);
	expect_str(value_base_name(r, v.shape), "int");
	expect_uint(value_shape_size(r, v.shape), 24);
	v = member(a, "plain");
	expect_null(value_shape_target(r, v.shape));
	v = member(a, "e");
	expect_true(value_shape_is_union(v.shape));
	expect_false(value_shape_is_union(a.shape));
	v = member(a, "same");
	expect_true(value_shape_is_reference(v.shape));
	v = member(a, "text");
	expect_int(value_shape_kind(v.shape), VALUE_RAW_TEXT);
	shape = value_shape_named(r, value_shape_dwarf(a.shape), "derived");
	assert_not_null(shape);
	expect_int(value_shape_kind(shape), VALUE_RAW_STRUCT);
	expect_not_null(value_shape_die(shape));
	expect_null(value_shape_named(r, value_shape_dwarf(a.shape), "none"));
}

static void
check_steps_of(const char *compiler)
{
	struct session s;

	make_core(compiler, "-O0 -w -std=c++11", "p.cc", source);
	open_core(&s);
	check_members(&s);
	check_steps(&s);
	check_contents(&s);
	check_types(&s);
	close_core(&s);
}

TEST(steps_gcc)
{
	check_steps_of("g++");
}

TEST(steps_clang)
{
	check_steps_of("clang++");
}

/* ---- what is not in memory ---- */

static const char optimised[] =
    "#include <stdlib.h>\n"
    "struct pair { int first, second; };\n"
    "struct large { char bytes[5000]; };\n"
    "volatile int sink;\n"
    "__attribute__((noinline, noclone)) void stop(struct pair p, int gone)\n"
    "{ sink = p.first; abort(); }\n"
    "__attribute__((noinline, noclone)) int work(int n)\n"
    "{ struct pair local = { n + 1, n + 2 }; int lost = n * 3;\n"
    "  sink = lost; stop(local, 1); return local.second; }\n"
    "int main(void) { return work(sink + 40); }\n";

TEST(values_in_registers_and_nowhere)
{
	struct value_raw p, v, out;
	struct session s;
	bt_error_t e;

	make_core("gcc", "-O2 -w", "p.c", optimised);
	open_core(&s);
	/* Both members in one register. */
	p = raw_of(&s, "stop", "p");
	if (p.in_memory == false && p.reason == NULL) {
		expect_int((int64_t)number(member(p, "first")), 41);
		expect_int((int64_t)number(member(p, "second")), 42);
		expect_true(value_raw_readable(&p, &e));
	}
	/* The compiler may have kept some of it, or nothing. */
	p = raw_of(&s, "work", "local");
	for (unsigned i = 0; i < 2; i++) {
		uint64_t x;

		assert_true(
		    value_raw_member(&p, i == 0 ? "first" : "second", &v, &e));
		if (value_raw_number(&v, &x, &e)) {
			expect_uint(x, 41 + i);
			continue;
		}
		expect_code(false, &e, BT_E_NOTFOUND);
		expect_contains(e.text, "optimized out");
		expect_false(value_raw_readable(&v, &e));
		expect_raw_text(v, 8, NULL);
		expect_false(value_raw_deref(&v, &out, &e));
	}
	close_core(&s);
}

/* A struct of constants that optimised code keeps member by member: nothing
 * describes the padding behind the last one. */
static const char padded[] =
    "#include <stdlib.h>\n"
    "struct padded { long first; int second; };\n"
    "volatile int sink;\n"
    "__attribute__((noinline, noclone)) void stop(int n)\n"
    "{ sink = n; abort(); }\n"
    "__attribute__((noinline, noclone)) int work(int n)\n"
    "{ struct padded half = { 5000000000, 77 }; int lost = n * 3;\n"
    "  sink = lost + half.second; stop(1); return (int)half.first; }\n"
    "int main(void) { return work(sink + 40); }\n";

TEST(members_of_what_is_there_in_part)
{
	struct snap_variable shown;
	struct value_raw half;
	struct session s;
	bt_error_t e;

	make_core("gcc", "-O2 -w", "p.c", padded);
	open_core(&s);
	half = raw_of(&s, "work", "half");
	expect_true(half.reason == NULL && half.in_memory == false);
	expect_true(half.state != NULL);
	expect_int((int64_t)number(member(half, "first")), 5000000000);
	expect_int((int64_t)number(member(half, "second")), 77);
	expect_false(value_raw_readable(&half, &e));
	expect_contains(e.text, "optimized out");
	value_raw_fill(&half, &shown);
	expect_uint(shown.n_children, 2);
	close_core(&s);
}

TEST(spent_budget_ends_the_search)
{
	struct value_raw d, a, v;
	struct session s;
	bt_error_t e;

	make_core("g++", "-O0 -w -std=c++11", "p.cc", source);
	open_core(&s);
	d = raw_of(&s, "stop", "d");
	a = raw_of(&s, "main", "a");
	expect_true(value_raw_member(&d, "of_base", &v, &e));
	expect_true(value_raw_readable(&a, &e));
	budget_init(&s.budget, 1, 0);
	(void)budget_step(&s.budget);
	expect_false(value_raw_member(&d, "of_base", &v, &e));
	expect_code(value_raw_readable(&a, &e), &e, BT_E_LIMIT);
	close_core(&s);
}

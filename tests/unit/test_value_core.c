/* SPDX-License-Identifier: MIT */
/*
 * Values of real programs: compiles one, lets GDB write a core of it at a known
 * place, and reads its variables. What they hold is known from the source.
 */
#include "unit/value_fixture.h"

enum { TEXT_CAP = 1 << 16 };

/* ---- values as text ---- */

static void
show_text(struct buf *b, const struct snap_variable *v)
{
	buf_putc(b, '"');
	for (uint32_t i = 0; i < v->string_size; i++) {
		unsigned char c = (unsigned char)v->string[i];

		if (c >= ' ' && c != '"')
			buf_putc(b, (char)c);
		else
			buf_printf(b, "\\%03o", c);
	}
	buf_puts(b, "\"");
	if (v->flags & SNAP_VAR_TRUNCATED)
		buf_puts(b, "...");
}

static void show(struct buf *b, const struct snap_variable *v);

static void
show_children(
    struct buf *b, const struct snap_variable *v, bool names, const char *ends)
{
	buf_putc(b, ends[0]);
	for (uint32_t i = 0; i < v->n_children; i++) {
		const struct snap_variable *child = &v->children[i];

		if (i != 0)
			buf_puts(b, ", ");
		if (child->flags & SNAP_VAR_BASE)
			buf_printf(b, "<%s> = ", child->name);
		else if (names && child->name[0] != '\0')
			buf_printf(b, "%s = ", child->name);
		show(b, child);
	}
	buf_putc(b, ends[1]);
	if (v->flags & SNAP_VAR_TRUNCATED)
		buf_printf(b, " of %llu", (unsigned long long)v->length);
}

static void
show_number(struct buf *b, const struct snap_variable *v)
{
	if (v->number != NULL)
		buf_puts(b, v->number);
	else if (v->kind == SNAP_FLOAT)
		buf_printf(b, "%.9g", v->value.f);
	else if (v->kind == SNAP_COMPLEX)
		buf_printf(b, "%g+%gi", v->value.complex_parts[0],
		    v->value.complex_parts[1]);
	else if (v->kind == SNAP_UINT)
		buf_printf(b, "%llu", (unsigned long long)v->value.u);
	else if (v->kind == SNAP_BOOL)
		buf_puts(b, v->value.u ? "true" : "false");
	else
		buf_printf(b, "%lld", (long long)v->value.i);
}

/* Addresses differ from run to run: "ptr", or "null". */
static void
show(struct buf *b, const struct snap_variable *v)
{
	switch (v->kind) {
	case SNAP_STRUCT:
	case SNAP_UNION:
		show_children(b, v, true, "{}");
		return;
	case SNAP_ARRAY:
		show_children(b, v, false, "[]");
		return;
	case SNAP_UNAVAILABLE:
		buf_printf(b, "<%s>", v->reason);
		return;
	case SNAP_STRING:
		show_text(b, v);
		return;
	case SNAP_POINTER:
	case SNAP_FUNCTION:
		buf_puts(b, v->value.u != 0 ? "ptr" : "null");
		break;
	default:
		show_number(b, v);
		break;
	}
	if (v->flags & SNAP_VAR_STRING) {
		buf_putc(b, ' ');
		show_text(b, v);
	}
}

struct wanted {
	const char *name, *type, *value;
};

static const struct snap_variable *
find(const struct snap_frame *f, const char *name)
{
	for (uint32_t i = 0; i < f->n_variables; i++) {
		if (strcmp(f->variables[i].name, name) == 0)
			return &f->variables[i];
	}
	return NULL;
}

static void
expect_variables(
    const struct snap_frame *f, const struct wanted *wanted, size_t n)
{
	struct buf b;

	buf_init(&b, TEXT_CAP);
	for (size_t i = 0; i < n; i++) {
		const struct snap_variable *v = find(f, wanted[i].name);

		if (v == NULL) {
			test_fail(TEST_SOFT, "no variable %s", wanted[i].name);
			continue;
		}
		buf_clear(&b);
		show(&b, v);
		if (strcmp(buf_text(&b), wanted[i].value) != 0)
			test_fail(TEST_SOFT, "%s is %s, expected %s",
			    wanted[i].name, buf_text(&b), wanted[i].value);
		if (wanted[i].type != NULL &&
		    strcmp(v->type, wanted[i].type) != 0)
			test_fail(TEST_SOFT, "%s is a %s, expected %s",
			    wanted[i].name, v->type, wanted[i].type);
	}
	buf_deinit(&b);
}

#define COUNT(A) (sizeof(A) / sizeof(*(A)))

/* ---- C, unoptimised: every kind ---- */

static const char kinds_source[] =
    "#include <complex.h>\n#include <stdint.h>\n#include <stdlib.h>\n"
    "#include <string.h>\n#include <uchar.h>\n#include <wchar.h>\n"
    "enum color { RED, GREEN = 5 };\n"
    "enum flags { FA = 1, FB = 2, FC = 8 };\n"
    "struct bits { int a : 3; unsigned b : 5; long long c : 40;\n"
    "  unsigned long d : 62; _Bool e : 1; enum color f : 4; };\n"
    "struct anon { int x; union { int i; float f; };\n"
    "  struct { int y, z; }; };\n"
    "struct flex { int n; char text[]; };\n"
    "struct self { struct self *next; int v; };\n"
    "typedef int vec4 __attribute__((vector_size(16)));\n"
    "static int callee(int a) { return a; }\n"
    "static __thread int tls = 99;\n"
    "__attribute__((noinline)) void stop(int n, struct anon by_value,\n"
    "    const char *s) {\n"
    "  int vla[n]; int rows[n][2]; char text[n];\n"
    "  for (int i = 0; i < n; i++)\n"
    "    { vla[i] = i * i; rows[i][0] = i; rows[i][1] = -i; }\n"
    "  memset(text, 'v', n);\n"
    "  static int counter = 5; counter += vla[0];\n"
    "  abort();\n"
    "}\n"
    "int main(void) {\n"
    "  signed char sc = -5; unsigned char uc = 200; short sh = -300;\n"
    "  unsigned u = 4000000000u; long l = -5000000000;\n"
    "  unsigned long ul = 18000000000000000000ul; _Bool t = 1;\n"
    "  __int128 wide = -((__int128)1 << 100); float f = 1.5f;\n"
    "  double d = -0.25; long double ld = 2.5L;\n"
    "  double complex cd = 3.5 - 4.25 * I;\n"
    "  enum color c1 = GREEN, c2 = (enum color)42;\n"
    "  enum flags f1 = FA | FC, f2 = (enum flags)(FB | 16);\n"
    "  struct bits b = { -2, 17, -123456789012ll,\n"
    "    0x3fffffffffffffffull, 1, GREEN };\n"
    "  struct anon an = { 1, { 2 }, { 3, 4 } };\n"
    "  struct flex *flex = malloc(64); flex->n = 9;\n"
    "  strcpy(flex->text, \"flexible\");\n"
    "  vec4 v = { 1, 2, 3, 4 }; int m[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };\n"
    "  char text[16] = \"hello\", emb[8] = \"a\\0b\"; int big[200] = { 7 };\n"
    "  char names[2][8] = { \"one\", \"two\" }; char many[3000];\n"
    "  memset(many, 'z', sizeof many);\n"
    "  const char *str = \"literal\"; char *np = 0, *bad = (char *)0x1234;\n"
    "  void *vp = &u; wchar_t ws[4] = L\"w\\u00e9\";\n"
    "  const char16_t *p16 = u\"sixteen\"; int (*fp)(int) = callee, (*fn)(int) "
    "= 0;\n"
    "  struct self s1, s2; s1.next = &s2; s1.v = 1; s2.next = &s1; s2.v = 2;\n"
    "  struct self *sp = &s1; uint8_t u8 = 65; tls++;\n"
    "  stop(3, an, \"argument\");\n"
    "  return 0;\n"
    "}\n";

static const struct wanted kinds_main[] = {
    {"sc", "signed char", "-5 \"\373\""},
    {"uc", "unsigned char", "200 \"\310\""},
    {"sh", "short", "-300"},
    {"u", "unsigned int", "4000000000"},
    {"l", "long", "-5000000000"},
    {"ul", "unsigned long", "18000000000000000000"},
    {"t", "_Bool", "true"},
    {"wide", "__int128", "-1267650600228229401496703205376"},
    {"f", "float", "1.5"},
    {"d", "double", "-0.25"},
    {"ld", "long double", "2.5"},
    {"cd", NULL, "3.5+-4.25i"},
    {"c1", "enum color", "5 \"GREEN\""},
    {"c2", "enum color", "42"},
    {"f1", "enum flags", "9 \"FA | FC\""},
    {"f2", "enum flags", "18 \"FB | unknown: 0x10\""},
    {"b", "struct bits",
	"{a = -2, b = 17, c = -123456789012, d = 4611686018427387903, "
	"e = true, f = 5 \"GREEN\"}"},
    {"an", "struct anon",
	"{x = 1, {i = 2, f = 2.80259693e-45}, "
	"{y = 3, z = 4}}"},
    {"v", NULL, "[1, 2, 3, 4]"},
    {"m", "int [2][3]", "[[1, 2, 3], [4, 5, 6]]"},
    {"text", "char [16]", "\"hello\""},
    {"emb", "char [8]", "\"a\\000b\""},
    {"names", "char [2][8]", "[\"one\", \"two\"]"},
    {"str", "const char *", "ptr \"literal\""},
    {"np", "char *", "null"},
    {"bad", "char *", "ptr"},
    {"vp", "void *", "ptr"},
    {"ws", "wchar_t [4]", "\"w\u00e9\""},
    {"p16", "const char16_t *", "ptr \"sixteen\""},
    {"fp", "int (*)(int)", "ptr \"callee\""},
    {"fn", "int (*)(int)", "null"},
    {"s1", "struct self", "{next = ptr, v = 1}"},
    {"u8", "uint8_t", "65 \"A\""},
};

static const struct wanted kinds_stop[] = {
    {"n", "int", "3"},
    {"by_value", "struct anon",
	"{x = 1, {i = 2, f = 2.80259693e-45}, {y = 3, z = 4}}"},
    {"s", "const char *", "ptr \"argument\""},
    {"vla", NULL, "[0, 1, 4]"},
    {"rows", NULL, "[[0, 0], [1, -1], [2, -2]]"},
    {"text", NULL, "\"vvv\""},
    {"counter", "int", "5"},
};

static void
expect_cut(const struct snap_frame *f)
{
	const struct snap_variable *big = find(f, "big");
	const struct snap_variable *many = find(f, "many");

	if (expect_true(big != NULL)) {
		expect_int(big->n_children, 64);
		expect_int(big->length, 200);
		expect_true((big->flags & SNAP_VAR_TRUNCATED) != 0);
	}
	if (expect_true(many != NULL)) {
		expect_int(many->string_size, 1024);
		expect_int(many->length, 3000);
		expect_true((many->flags & SNAP_VAR_TRUNCATED) != 0);
	}
}

/* sp -> s1 -> s2 -> s1: two objects, and the way back is the same one. */
static void
expect_followed(struct session *s, const struct snap_frame *f)
{
	const struct snap_variable *sp = find(f, "sp"), *object;
	const struct snap_variable *flex = find(f, "flex");
	uint64_t first;

	value_follow_pending(s->reader);
	assert_true(sp != NULL && flex != NULL);
	first = sp->object;
	assert_true(first != 0);
	object = snapshot_object_variable(&s->snapshot, first);
	assert_true(object != NULL && object->n_children == 2);
	expect_str(object->type, "struct self");
	expect_int(object->address, sp->value.u);
	expect_int(object->children[1].value.i, 1);
	object = snapshot_object_variable(
	    &s->snapshot, object->children[0].object);
	assert_true(object != NULL && object->n_children == 2);
	expect_int(object->children[1].value.i, 2);
	expect_int(object->children[0].object, first);
	object = snapshot_object_variable(&s->snapshot, flex->object);
	assert_true(object != NULL && object->n_children == 2);
	expect_str(object->children[1].string, "flexible");
	expect_int(find(f, "vp")->object, 0);
	expect_int(find(f, "str")->object, 0);
}

/* Thread-local, initial value 99 and once incremented. */
static void
expect_thread_local(struct session *s)
{
	struct target_module *modules;
	struct target_thread *threads;
	struct dwarf_variable variable;
	struct snap_variable v;
	struct dwarf *dwarf = NULL;
	bt_error_t e;
	size_t i = 0, n = target_modules(s->target, &modules);

	for (; i < n && (dwarf = dwarf_of(s, &modules[i])) == NULL; i++)
		;
	assert_true(dwarf != NULL);
	(void)target_threads(s->target, &threads);
	assert_true(dwarf_global(dwarf, "tls", NULL, &variable));
	assert_ok(value_global(s->reader, &threads[0], &modules[i], dwarf,
		      &variable, &v, &e),
	    &e);
	expect_str(v.name, "tls");
	expect_int(v.kind, SNAP_INT);
	expect_int(v.value.i, 100);
	/* Without a thread there is none. */
	assert_ok(value_global(
		      s->reader, NULL, &modules[i], dwarf, &variable, &v, &e),
	    &e);
	expect_int(v.kind, SNAP_UNAVAILABLE);
}

static void
check_kinds(const char *compiler)
{
	struct session s;
	struct snap_frame f;

	make_core(compiler, "-O0 -w", "p.c", kinds_source);
	open_core(&s);
	assert_true(variables_of(&s, "stop", false, &f));
	expect_variables(&f, kinds_stop, COUNT(kinds_stop));
	expect_true((find(&f, "n")->flags & SNAP_VAR_PARAMETER) != 0);
	expect_true((find(&f, "vla")->flags & SNAP_VAR_PARAMETER) == 0);
	assert_true(variables_of(&s, "main", true, &f));
	expect_variables(&f, kinds_main, COUNT(kinds_main));
	expect_cut(&f);
	expect_followed(&s, &f);
	expect_thread_local(&s);
	close_core(&s);
}

TEST(kinds_gcc)
{
	check_kinds("gcc");
}

TEST(kinds_clang)
{
	check_kinds("clang");
}

/* ---- C++ ---- */

static const char classes_source[] =
    "#include <cstdlib>\n"
    "namespace ns {\n"
    "enum Open { OA, OB }; enum class Sc : unsigned char { X = 1, Y = 200 };\n"
    "struct V { virtual ~V() {} int v = 1; virtual int get() { return v; }\n"
    "  int plain(int x) { return x + v; } static int shared; };\n"
    "int V::shared = 3;\n"
    "struct L : virtual V { int l = 2; };\n"
    "struct R : virtual V { int r = 3; };\n"
    "struct D : L, R { int d = 4; int get() override { return d; } };\n"
    "struct M1 { int a = 5; }; struct M2 { long b = 6; };\n"
    "struct MI : M1, private M2 { int c = 7; };\n"
    "template <typename T, int N> struct Tp { T arr[N]; };\n"
    "struct In { int x; In(int n) : x(n) {} void stop(int y) {\n"
    "  int z = x + y; abort(); } };\n"
    "}\n"
    "void go(ns::D &ref, int &&rr, const ns::MI &mi, int (&arr)[2],\n"
    "    int ns::MI::*mp, int (ns::V::*mf)(int), int (ns::V::*vf)(),\n"
    "    decltype(nullptr) np, const char *&text) {\n"
    "  ns::In in(20); in.stop(22);\n"
    "}\n"
    "int main() {\n"
    "  ns::D d; ns::MI mi; ns::Open o = ns::OB; ns::Sc sc = ns::Sc::Y;\n"
    "  ns::Tp<int, 3> tp{ { 1, 2, 3 } }; int arr[2] = { 8, 9 };\n"
    "  char32_t c32 = U'\\U0001f600'; bool b = true; int &bad = *(int *)16;\n"
    "  const char *text = \"by reference\"; wchar_t wc = L'\\u20ac';\n"
    "  go(d, 42, mi, arr, &ns::MI::c, &ns::V::plain, &ns::V::get, nullptr,\n"
    "    text);\n"
    "}\n";

static const struct wanted classes_go[] = {
    {"rr", "int &&", "42"},
    {"mi", "const ns::MI &", "{<ns::M1> = {a = 5}, <ns::M2> = {b = 6}, c = 7}"},
    {"arr", "int (&)[2]", "[8, 9]"},
    {"mf", NULL, "ptr \"ns::V::plain(int)\""},
    {"vf", NULL, "ptr \"virtual, vtable offset 16\""},
    {"np", NULL, "null"},
    {"text", "const char *&", "ptr \"by reference\""},
};

static const struct wanted classes_main[] = {
    {"mi", "ns::MI", "{<ns::M1> = {a = 5}, <ns::M2> = {b = 6}, c = 7}"},
    {"o", "ns::Open", "1 \"ns::OB\""},
    {"sc", "ns::Sc", "200 \"ns::Sc::Y\""},
    {"tp", "ns::Tp<int, 3>", "{arr = [1, 2, 3]}"},
    {"c32", "char32_t", "128512 \"\360\237\230\200\""},
    {"wc", "wchar_t", "8364 \"\u20ac\""},
    {"b", "bool", "true"},
    {"bad", "int &", "<unreadable 0x10>"},
    {"text", "const char *", "ptr \"by reference\""},
};

static const struct wanted classes_stop[] = {
    {"y", "int", "22"},
    {"z", "int", "42"},
};

/* The member of that name, in bases too; NULL: none. */
static const struct snap_variable *
member(const struct snap_variable *v, const char *name)
{
	for (uint32_t i = 0; i < v->n_children; i++) {
		const struct snap_variable *child = &v->children[i];

		if (child->flags & SNAP_VAR_BASE)
			child = member(child, name);
		else if (strcmp(child->name, name) != 0)
			child = NULL;
		if (child != NULL)
			return child;
	}
	return NULL;
}

/* D has L and R, both have the same virtual V. */
static void
expect_virtual_base(const struct snap_variable *d, const char *type)
{
	static const struct {
		const char *name;
		int value;
	} members[] = {{"l", 2}, {"r", 3}, {"d", 4}, {"v", 1}};

	assert_true(d != NULL);
	expect_str(d->type, type);
	for (size_t i = 0; i < COUNT(members); i++) {
		const struct snap_variable *m = member(d, members[i].name);

		if (expect_true(m != NULL))
			expect_int(m->value.i, members[i].value);
	}
	/* static members are not part of the object */
	expect_true(member(d, "shared") == NULL);
}

static void
check_classes(const char *compiler)
{
	const struct snap_variable *self, *object;
	struct snap_frame f;
	struct session s;

	make_core(compiler, "-O0 -w -std=c++17", "p.cpp", classes_source);
	open_core(&s);
	assert_true(variables_of(&s, "ns::In::stop", true, &f));
	expect_variables(&f, classes_stop, COUNT(classes_stop));
	self = find(&f, "this");
	assert_true(self != NULL);
	value_follow_pending(s.reader);
	object = snapshot_object_variable(&s.snapshot, self->object);
	assert_true(object != NULL && object->n_children == 1);
	expect_str(object->type, "ns::In");
	expect_int(object->children[0].value.i, 20);
	assert_true(variables_of(&s, "go", false, &f));
	expect_variables(&f, classes_go, COUNT(classes_go));
	expect_virtual_base(find(&f, "ref"), "ns::D &");
	assert_true(variables_of(&s, "main", false, &f));
	expect_variables(&f, classes_main, COUNT(classes_main));
	expect_virtual_base(find(&f, "d"), "ns::D");
	close_core(&s);
}

TEST(classes_gcc)
{
	check_classes("g++");
}

TEST(classes_clang)
{
	check_classes("clang++");
}

/* ---- optimised: known or unavailable, never wrong ---- */

static const char optimised_source[] =
    "#include <stdlib.h>\n"
    "struct pair { int a; long b; };\n"
    "struct point { double x, y; };\n"
    "volatile int sink;\n"
    "__attribute__((noinline, noclone)) int deep(int k) {\n"
    "  sink = k; abort(); }\n"
    "__attribute__((noinline, noclone)) int entry(int a, int b, long c) {\n"
    "  sink = a + b + c; int r = deep(1); sink = r; return r; }\n"
    "static inline int inl(struct pair *p, int q) {\n"
    "  int sum = p->a + q; sink = sum; return entry(11, 22, 33) + sum; }\n"
    "__attribute__((noinline, noclone)) int kept(int m, struct pair by) {\n"
    "  struct pair local = { m, by.b }; const int seven = 7;\n"
    "  struct point pt = { 1.5, m }; sink = (int)pt.y;\n"
    "  int r = inl(&local, seven); sink = m + local.a + (int)by.b;\n"
    "  return r; }\n"
    "int main(int argc, char **argv) {\n"
    "  struct pair by = { 4, 5 };\n"
    "  return kept(argc + 1, by) + argc; }\n";

static const struct {
	const char *function;
	struct wanted wanted;
} optimised[] = {
    {"deep", {"k", "int", "1"}},
    {"entry", {"a", "int", "11"}},
    {"entry", {"b", "int", "22"}},
    {"entry", {"c", "long", "33"}},
    {"inl", {"q", "int", "7"}},
    {"inl", {"sum", "int", "9"}},
    {"kept", {"m", "int", "2"}},
    {"kept", {"by", "struct pair", "{a = 4, b = 5}"}},
    {"kept", {"local", "struct pair", "{a = 2, b = 5}"}},
    {"kept", {"seven", "const int", "7"}},
    {"main", {"argc", "int", "1"}},
    {"main", {"by", "struct pair", "{a = 4, b = 5}"}},
};

/* True when the text agrees but for parts that are unavailable ("<...>"). */
static bool
agrees(const char *text, const char *wanted)
{
	while (*text != '\0' && *wanted != '\0') {
		if (*text == '<') {
			text += strcspn(text, ">");
			text += *text == '>';
			wanted += strcspn(wanted, ",}");
		} else if (*text++ != *wanted++) {
			return false;
		}
	}
	return *text == *wanted;
}

/* The number of values known in whole. */
static unsigned
check_optimised(const char *compiler, const char *options)
{
	unsigned known = 0;
	struct session s;
	struct buf b;

	make_core(compiler, options, "p.c", optimised_source);
	open_core(&s);
	buf_init(&b, TEXT_CAP);
	for (size_t i = 0; i < COUNT(optimised); i++) {
		const struct wanted *w = &optimised[i].wanted;
		const struct snap_variable *v;
		struct snap_frame f;

		if (variables_of(&s, optimised[i].function, false, &f) ==
			false ||
		    (v = find(&f, w->name)) == NULL)
			continue;
		buf_clear(&b);
		show(&b, v);
		if (strcmp(buf_text(&b), w->value) == 0)
			known++;
		else if (v->kind != SNAP_UNAVAILABLE &&
		    agrees(buf_text(&b), w->value) == false)
			test_fail(TEST_SOFT, "%s: %s of %s is %s, not %s",
			    options, w->name, optimised[i].function,
			    buf_text(&b), w->value);
	}
	buf_deinit(&b);
	close_core(&s);
	return known;
}

/* entry's a, b and c are dead when deep is called: only the call site in kept
 * knows them. */
TEST(optimised_gcc)
{
	expect_true(check_optimised("gcc", "-O2 -w") >= 6);
}

TEST(optimised_gcc_dwarf4)
{
	expect_true(check_optimised("gcc", "-O2 -w -gdwarf-4") >= 6);
}

TEST(optimised_clang)
{
	expect_true(check_optimised("clang", "-O2 -w") >= 5);
}

/* Each activation's n is known only from its caller's: the chain is longer than
 * what is evaluated at once, and is remembered. */
static const char recursion_source[] =
    "#include <stdlib.h>\n"
    "volatile int sink;\n"
    "__attribute__((noinline, noclone)) int down(int n, int m) {\n"
    "  if (n == 0) abort();\n"
    "  sink = n; int r = down(n - 1, m); sink = r; return r + 1; }\n"
    "int main(void) { return down(150, 77) + sink; }\n";

TEST(long_chain_of_entry_values)
{
	unsigned known = 0, passed = 0, frames = 0;
	struct snap_frame f;
	struct session s;

	make_core("gcc", "-O2 -w -fno-optimize-sibling-calls", "p.c",
	    recursion_source);
	open_core(&s);
	for (size_t skip = 0; skip < s.stack.frames.count; skip++) {
		const struct snap_variable *n, *m;
		uint64_t steps = s.budget.steps;

		if (variables_at(&s, skip, "down", &f) == false)
			continue;
		n = find(&f, "n");
		m = find(&f, "m");
		assert_true(n != NULL && m != NULL);
		if (n->kind != SNAP_UNAVAILABLE) {
			expect_int(n->value.i, frames);
			known++;
		}
		if (m->kind != SNAP_UNAVAILABLE) {
			expect_int(m->value.i, 77);
			passed++;
		}
		/* Not the whole chain again for each frame. */
		if (frames > 0)
			expect_true(steps - s.budget.steps < 1000);
		frames++;
	}
	expect_int(frames, 151);
	expect_true(known >= 150);
	expect_true(passed >= 150);
	close_core(&s);
}

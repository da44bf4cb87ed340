/* SPDX-License-Identifier: MIT */
/*
 * Rows that are made without nodes (core/value/rows.c) against nodes: in a
 * recursion the same variables have other values in each frame, and of the
 * kinds whose form depends on the value: booleans that are neither, texts that
 * are there in one frame and not in the next, labels, cut texts, values in
 * registers and nowhere. The fixture compares each frame read both ways.
 */
#include "unit/value_fixture.h"

enum { DEPTH = 24 };

static const char source[] =
    "#include <stdbool.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "#include <uchar.h>\n"
    "enum e { RED, GREEN, BLUE = 9 };\n"
    "struct in { int x; short y[3]; };\n"
    "union u { int i; float f; unsigned char c[4]; };\n"
    "struct s { bool b; short sc; unsigned short us; long l; int i;\n"
    "  float f; double d; const char *text; char name[12];\n"
    "  union u u; struct in in; struct in ins[2]; void *p; int a[3];\n"
    "  struct { int q; }; };\n"
    "struct odd { char c; long double ld; enum e e; char cut[40];\n"
    "  int bits:5; unsigned more:3; int (*fn)(int); double _Complex z;\n"
    "  wchar_t *w; unsigned __int128 wide; int m[2][3]; };\n"
    "struct leaves { char c; unsigned char uc; enum e e; int (*fn)(int);\n"
    "  long double ld; double _Complex z; wchar_t w; char16_t h;\n"
    "  int long_one[70]; short rest; struct in *link; };\n"
    "static struct in links[4];\n"
    "static const char *texts[] = {\"one\", \"\", 0, \"three\"};\n"
    "__attribute__((noinline)) int\n"
    "down(int depth, const char *msg, bool odd, double x, char ch)\n"
    "{\n"
    "  struct s s; struct odd o; int vla[depth % 3 + 1]; int r;\n"
    "  struct leaves v; enum e e = depth % 10; char c = depth * 37;\n"
    "  int (*fn)(int) = depth % 2 ? abs : 0;\n"
    "  long k = -depth * 5000000000L;\n"
    "  memset(&s, 0, sizeof s); memset(&o, 0, sizeof o);\n"
    "  memset(vla, depth, sizeof vla);\n"
    "  *(unsigned char *)&s.b = depth % 5; o.c = depth * 11; s.sc = -depth;\n"
    "  s.us = 65535 - depth; s.l = -depth * 5000000000L; s.f = depth / 3.0f;\n"
    "  s.i = -depth * 70000; s.d = -x; s.text = texts[depth % 4];\n"
    "  memset(s.name, 'a' + depth, depth % 13); s.u.f = x;\n"
    "  s.in.x = depth; s.ins[1].y[2] = -depth; s.p = depth % 2 ? &s : 0;\n"
    "  s.a[2] = ~depth; s.q = depth;\n"
    "  o.ld = x / 3; o.e = depth % 10; o.fn = depth % 3 ? abs : 0; o.z = x;\n"
    "  memset(o.cut, 0xc3, depth % 3 * 20); o.bits = depth; o.more = depth;\n"
    "  o.w = depth % 2 ? L\"wide\" : 0; o.m[1][1] = depth;\n"
    "  o.wide = depth % 2 ? ~(unsigned __int128)0 : 7;\n"
    "  if (depth % 6 == 5) s.text = (const char *)(long)depth;\n"
    "  memset(&v, 0, sizeof v); v.c = c; v.uc = -c; v.e = e; v.fn = fn;\n"
    "  v.ld = x / 7; v.z = x; v.w = depth * 5000; v.h = 0xd7f0 + depth;\n"
    "  memset(v.long_one, c, sizeof v.long_one); v.rest = depth;\n"
    "  v.link = depth % 3 ? &links[depth % 4] : 0;\n"
    "  struct in *link = depth % 4 == 1 ? 0 : &links[depth % 2];\n"
    "  if (depth == 0) abort();\n"
    "  r = down(depth - 1, texts[(depth + 1) % 4], !odd, x * 1.5, ch + 9);\n"
    "  return r + s.us + o.c + vla[0] + k + (msg ? *msg : 0) + ch\n"
    "    + v.rest + e + c + (fn != 0) + (link != 0);\n"
    "}\n"
    "int main(int argc, char **argv)\n"
    "{ return down(24 * argc, argv[0], true, 0.1, 200); }\n";

/* The pointer to the virtual table is not followed, others are. */
static const char classes[] =
    "#include <stdlib.h>\n"
    "struct node { int n; node *next; virtual int get() { return n; } };\n"
    "struct both { node first; node *second; };\n"
    "static node nodes[4]; static int odd;\n"
    "__attribute__((noinline)) int down(int depth, node *last)\n"
    "{\n"
    "  node here; both two; node &other = nodes[depth % 3];\n"
    "  here.n = depth; here.next = depth % 4 ? &nodes[depth % 4] : nullptr;\n"
    "  two.first = here; two.first.next = last; two.second = &here;\n"
    "  if (depth == 0) abort();\n"
    "  odd += down(depth - 1, depth % 2 ? &here : here.next);\n"
    "  return two.first.get() + two.second->n + other.n;\n"
    "}\n"
    "int main() { return down(24, nullptr); }\n";

static void
check(
    const char *compiler, const char *options, const char *name, const char *c)
{
	struct snap_frame frame;
	struct session s;
	unsigned seen = 0;

	make_core(compiler, options, name, c);
	open_core(&s);
	/* Pointers are followed every other time. */
	for (int round = 0; round < 4; round++)
		for (size_t i = 0; i < s.stack.frames.count; i++)
			seen += read_frame(
			    &s, i, "down", round % 2 != 0, &frame);
	expect_uint(seen, 4 * (DEPTH + 1));
	/* What clang leaves of the pointers leads to none. */
	expect_true(
	    s.snapshot.objects.count > 0 || strcmp(compiler, "clang") == 0);
	for (size_t i = 0; i < s.snapshot.objects.count; i++)
		expect_true(strchr(s.snapshot.objects.items[i].variable.type,
				'(') == NULL);
	close_core(&s);
}

TEST(unoptimised)
{
	check("gcc", "-O0", "rows.c", source);
}

TEST(optimised)
{
	check("gcc", "-O2", "rows.c", source);
}

TEST(optimised_by_clang)
{
	check("clang", "-O1", "rows.c", source);
}

TEST(old_debug_information)
{
	check("gcc", "-O1 -gdwarf-4", "rows.c", source);
}

TEST(classes)
{
	check("g++", "-O0", "rows.cc", classes);
}

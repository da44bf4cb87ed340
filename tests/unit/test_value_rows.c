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
    "  int long_one[70]; short rest; };\n"
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
    "  if (depth == 0) abort();\n"
    "  r = down(depth - 1, texts[(depth + 1) % 4], !odd, x * 1.5, ch + 9);\n"
    "  return r + s.us + o.c + vla[0] + k + (msg ? *msg : 0) + ch\n"
    "    + v.rest + e + c + (fn != 0);\n"
    "}\n"
    "int main(int argc, char **argv)\n"
    "{ return down(24 * argc, argv[0], true, 0.1, 200); }\n";

static void
check(const char *compiler, const char *options)
{
	struct snap_frame frame;
	struct session s;
	unsigned seen = 0;

	make_core(compiler, options, "rows.c", source);
	open_core(&s);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < s.stack.frames.count; i++)
			seen += variables_at(&s, i, "down", &frame);
	expect_uint(seen, 2 * (DEPTH + 1));
	close_core(&s);
}

TEST(unoptimised)
{
	check("gcc", "-O0");
}

TEST(optimised)
{
	check("gcc", "-O2");
}

TEST(optimised_by_clang)
{
	check("clang", "-O1");
}

TEST(old_debug_information)
{
	check("gcc", "-O1 -gdwarf-4");
}

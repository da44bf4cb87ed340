/* SPDX-License-Identifier: MIT */
/*
 * Line programs, byte by byte: the rules by which rows count (as gdb 13.1
 * counts them; test_dwarf_gdb compares whole programs), paths of files, and
 * programs made to hurt.
 */
#include "dwarf_fixture.h"

static const char unit[] =
    ".section .debug_abbrev\n"
    ".byte 1,0x11,0, 3,8, 0x1b,8, 0x11,1, 0x12,6, 0x10,0x17, 0,0, 0\n"
    ".section .debug_info\n"
    ".long 2f - 1f\n1: .short 4\n .long 0\n .byte 8\n"
    ".byte 1\n .asciz \"m.c\"\n .asciz \"/comp/dir\"\n .quad 0x1000\n"
    ".long 0x1000\n .long 0\n2:\n";

/* A header of version 4: four files, line_base -3, line_range 12. */
#define HEADER(MIN, OPS, BASE, RANGE, OPCODE_BASE)                             \
	".section .debug_line\n"                                               \
	".long 9f - 1f\n1: .short 4\n .long 3f - 2f\n"                         \
	"2: .byte " MIN "," OPS ",1," BASE "," RANGE "," OPCODE_BASE "\n"
static const char lengths[] = ".byte 0,1,1,1,1,0,0,0,1,0,0,1\n";
static const char files[] =
    ".asciz \"sub\"\n .asciz \"/abs\"\n .asciz \"./a/./b/../c\"\n .byte 0\n"
    ".asciz \"a.c\"\n .byte 0,0,0\n .asciz \"b.c\"\n .byte 1,0,0\n"
    ".asciz \"c.h\"\n .byte 2,0,0\n .asciz \"/x//y/./z.c\"\n .byte 1,0,0\n"
    ".asciz \"d.c\"\n .byte 3,0,0\n .asciz \"e.c\"\n .byte 77,0,0\n"
    ".byte 0\n3:\n";

static void
assemble(struct subject *s, const char *line_section)
{
	const char *source = test_path("lines.s");
	const char *text = test_format("%s%s", unit, line_section);

	need_tool("as");
	test_write_file(source, text, strlen(text));
	must_run("as --64 -o %s %s", test_path("lines.o"), source);
	open_subject(s, test_path("lines.o"));
}

/* Opcodes, for reading the programs below. */
#define SET(ADDRESS) ".byte 0,9,2\n .quad " ADDRESS "\n"
#define END ".byte 0,1,1\n"
#define DISCRIMINATOR ".byte 0,2,4,1\n"
#define COPY ".byte 1\n"
#define PC(N) ".byte 2," N "\n"
#define LINE(N) ".byte 3," N "\n"
#define FILE_(N) ".byte 4," N "\n"
#define COLUMN(N) ".byte 5," N "\n"
#define STMT ".byte 6\n"

struct expected {
	uint64_t pc;
	const char *path; /* NULL: nothing is known */
	uint32_t line;
};

static const struct {
	const char *what, *program;
	struct expected at[5];
} cases[] = {
    {"rows reach to the next",
	SET("0x1000") COPY LINE("4") PC("4") COPY PC("8") END,
	{{0x1000, "/comp/dir/a.c", 1}, {0x1003, "/comp/dir/a.c", 1},
	    {0x1004, "/comp/dir/a.c", 5}, {0x100b, "/comp/dir/a.c", 5},
	    {0x100c, NULL, 0}}},
    {"special opcodes",
	SET("0x1000") ".byte 13+3+5\n .byte 13+3+2+12*4\n" PC("1") END,
	{{0x1000, "/comp/dir/a.c", 6}, {0x1003, "/comp/dir/a.c", 6},
	    {0x1004, "/comp/dir/a.c", 8}, {0x1005, NULL, 0}}},
    {"const_add_pc and fixed_advance_pc",
	SET("0x1000") COPY ".byte 8\n" LINE("1") COPY
	".byte 9\n .short 0x10\n" LINE("1") COPY PC("1") END,
	/* (255 - 13) / 12 = 20 */
	{{0x1013, "/comp/dir/a.c", 1}, {0x1014, "/comp/dir/a.c", 2},
	    {0x1023, "/comp/dir/a.c", 2}, {0x1024, "/comp/dir/a.c", 3}}},
    {"files and their paths",
	SET("0x1000") COPY PC("1") FILE_("2") COPY PC("1") FILE_("3")
	    COPY PC("1") FILE_("4") COPY PC("1") FILE_("5") COPY PC("1") END,
	{{0x1000, "/comp/dir/a.c", 1}, {0x1001, "/comp/dir/sub/b.c", 1},
	    {0x1002, "/abs/c.h", 1}, {0x1003, "/x/y/z.c", 1},
	    {0x1004, "/comp/dir/a/b/../c/d.c", 1}}},
    {"a file that does not exist, a directory that does not",
	SET("0x1000") COPY PC("1") FILE_("99") COPY PC("1") FILE_("6")
	    COPY PC("1") FILE_("0") COPY PC("1") END,
	{{0x1001, "/comp/dir/a.c", 1}, {0x1002, "/comp/dir/e.c", 1},
	    {0x1003, "/comp/dir/e.c", 1}}},
    {"line 0: the row before goes on",
	SET("0x1000") LINE("6") COPY PC("4") LINE("0x79") COPY PC("4") LINE("3")
	    COPY PC("4") END,
	{{0x1000, "/comp/dir/a.c", 7}, {0x1004, "/comp/dir/a.c", 7},
	    {0x1008, "/comp/dir/a.c", 3}}},
    {"of one address the last row counts",
	SET("0x1000") LINE("1") COPY LINE("1") COPY PC("4") END,
	{{0x1000, "/comp/dir/a.c", 3}, {0x1003, "/comp/dir/a.c", 3}}},
    {"but a statement before a mere row",
	SET("0x1000") LINE("1") COPY STMT LINE("1") COPY PC("4") LINE("1")
	    COPY PC("4") END,
	{{0x1000, "/comp/dir/a.c", 2}, {0x1003, "/comp/dir/a.c", 2},
	    {0x1004, "/comp/dir/a.c", 4}}},
    {"a mere row of another file at a statement's address",
	SET("0x1000") LINE("1") COPY STMT FILE_("2") LINE("1") COPY PC("4") END,
	{{0x1000, "/comp/dir/a.c", 2}}},
    {"a statement of another file at a statement's address",
	SET("0x1000") LINE("1") COPY FILE_("2") LINE("1") COPY PC("4") END,
	{{0x1000, "/comp/dir/sub/b.c", 3}}},
    {"a repeated line with a discriminator is no row",
	SET("0x1000") LINE("1") COPY STMT LINE("2") COPY DISCRIMINATOR PC("4")
	    COPY PC("4") END,
	{{0x1000, "/comp/dir/a.c", 2}, {0x1004, "/comp/dir/a.c", 2}}},
    {"two sequences, out of order, with a gap",
	SET("0x1100") LINE("9") COPY PC("4") END SET("0x1000") COPY PC("4") END,
	{{0x1000, "/comp/dir/a.c", 1}, {0x1004, NULL, 0},
	    {0x1103, "/comp/dir/a.c", 10}, {0x1104, NULL, 0}}},
    {"dropped code at 0 hides nothing",
	SET("0") LINE("9") COPY ".byte 9\n .short 0x7fff\n" END SET("0x1000")
	    COPY PC("4") END,
	{{0x1000, "/comp/dir/a.c", 1}}},
    {"addresses that go back",
	SET("0x1020") LINE("1") COPY SET("0x1000") LINE("1") COPY SET("0x1040")
	    END,
	{{0x1000, "/comp/dir/a.c", 3}, {0x1020, "/comp/dir/a.c", 2},
	    {0x103f, "/comp/dir/a.c", 2}}},
    {"opcodes nobody knows are passed over",
	SET("0x1000") ".byte 12,5\n .byte 0,3,0x80,1,2\n .byte 7,10,11\n" COPY
	    PC("4") END,
	{{0x1000, "/comp/dir/a.c", 1}}},
};

TEST(rows_and_files)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct subject s;

		assemble(&s,
		    test_format("%s%s%s%s9:\n",
			HEADER("1", "1", "-3", "12", "13"), lengths, files,
			cases[i].program));
		for (size_t k = 0; k < 5 && cases[i].at[k].pc != 0; k++) {
			const struct expected *want = &cases[i].at[k];
			const struct dwarf_plan *p = dwarf_plan_at(
			    s.dwarf, want->pc, false);

			if (!expect_uint(p->line, want->line) ||
			    !expect_str(p->path, want->path))
				test_fail(TEST_SOFT, "%s, at 0x%llx",
				    cases[i].what,
				    (unsigned long long)want->pc);
		}
		expect_uint(s.warnings, 0);
		close_subject(&s);
	}
}

/* Three rows for each address: the second one counts, a statement. */
#define REPEAT(N)                                                              \
	".rept " N "\n" PC("1") LINE("1") COPY LINE("1") COPY STMT LINE("1")   \
	    COPY STMT ".endr\n"
#define DEFINE ".byte 0,11,3\n .asciz \"late.c\"\n .byte 0,0,0\n"

/* Rows are found from points that lie among them, hundreds apart; what a point
 * knows of files is what was known when the program came by. */
TEST(many_rows)
{
	static const char program[] = SET("0x1000") REPEAT("10") FILE_("7")
	    COPY FILE_("1") REPEAT("390") DEFINE REPEAT("100") FILE_("7")
		REPEAT("100") PC("1") END;
	struct subject s;

	assemble(&s,
	    test_format("%s%s%s%s9:\n", HEADER("1", "1", "-3", "12", "13"),
		lengths, files, program));
	/* Up and down, so that each look-up is one of its own. */
	for (uint32_t i = 0; i < 600; i++) {
		uint32_t k = i % 2 == 0 ? 1 + i : 600 - i + 1;
		const struct dwarf_plan *p = dwarf_plan_at(
		    s.dwarf, 0x1000 + k, false);

		if (!expect_uint(p->line, 3 * k) ||
		    !expect_str(p->path,
			k > 500 ? "/comp/dir/late.c" : "/comp/dir/a.c"))
			test_fail(TEST_SOFT, "row %u", k);
	}
	expect_uint(s.warnings, 0);
	close_subject(&s);
}

/* The same where the addresses went back once. */
TEST(many_unsorted_rows)
{
	static const char program[] = SET("0x1400") REPEAT("300") SET("0x1000")
	    REPEAT("300") SET("0x1600") END;
	struct subject s;

	assemble(&s,
	    test_format("%s%s%s%s9:\n", HEADER("1", "1", "-3", "12", "13"),
		lengths, files, program));
	for (uint32_t k = 1; k <= 300; k++) {
		expect_uint(
		    dwarf_plan_at(s.dwarf, 0x1400 + k, false)->line, 3 * k);
		expect_uint(dwarf_plan_at(s.dwarf, 0x1000 + k, false)->line,
		    3 * (k + 300));
	}
	expect_uint(s.warnings, 0);
	close_subject(&s);
}

TEST(columns)
{
	struct subject s;

	assemble(&s,
	    test_format("%s%s%s%s9:\n", HEADER("1", "1", "-3", "12", "13"),
		lengths, files,
		SET("0x1000") COLUMN("7") COPY PC("4") COLUMN("0xff,0xff,0x7f")
		    COPY PC("4") END));
	expect_uint(dwarf_plan_at(s.dwarf, 0x1000, false)->column, 7);
	expect_uint(dwarf_plan_at(s.dwarf, 0x1004, false)->column, 0);
	close_subject(&s);
}

TEST(version_5)
{
	static const char header[] =
	    ".section .debug_line_str\n .asciz \"/five\"\n"
	    "s1: .asciz \"inc\"\n"
	    ".section .debug_line\n .long 9f - 1f\n1: .short 5\n .byte 8,0\n"
	    ".long 3f - 2f\n2: .byte 1,1,1,-3,12,13\n"
	    ".byte 0,1,1,1,1,0,0,0,1,0,0,1\n"
	    /* directories: line_strp */
	    ".byte 1, 1,0x1f\n .byte 2\n .long 0, 6\n"
	    /* files: string, udata, MD5, and a kind nobody knows */
	    ".byte 4, 1,8, 2,0x0b, 5,0x1e, 0x90,0x40,0x0f\n .byte 2\n"
	    ".asciz \"zero.c\"\n .byte 0\n .fill 16\n .byte 0x80,1\n"
	    ".asciz \"one.h\"\n .byte 1\n .fill 16\n .byte 3\n"
	    "3:\n";
	struct subject s;

	assemble(&s,
	    test_format("%s%s9:\n", header,
		SET("0x1000") COPY PC("4") FILE_("0") COPY PC("4") END));
	expect_str(
	    dwarf_plan_at(s.dwarf, 0x1000, false)->path, "/five/inc/one.h");
	expect_str(dwarf_plan_at(s.dwarf, 0x1004, false)->path, "/five/zero.c");
	expect_uint(s.warnings, 0);
	close_subject(&s);
}

static const struct {
	const char *what, *header, *program;
} bombs[] = {
    {"line_range 0", HEADER("1", "1", "-3", "0", "13"),
	SET("0x1000") ".byte 200,201,8\n" COPY PC("4") END},
    {"minimum length 0", HEADER("0", "1", "-3", "12", "13"),
	SET("0x1000") COPY ".byte 200,201,8\n" PC("4") END},
    {"maximum operations 0", HEADER("1", "0", "-3", "12", "13"),
	SET("0x1000") COPY PC("4") END},
    {"VLIW", HEADER("1", "4", "-3", "12", "13"),
	SET("0x1000") COPY ".byte 200,201,8\n" PC("4") END},
    {"opcode base 0", HEADER("1", "1", "-3", "12", "0"),
	SET("0x1000") COPY PC("4") END},
    {"opcode base 1", HEADER("1", "1", "-3", "12", "1"),
	SET("0x1000") COPY PC("4") END},
    {"addresses that wrap", HEADER("1", "1", "-3", "12", "13"),
	SET("0xfffffffffffffff0") COPY PC("0x7f") COPY END},
    {"an address of no bytes, of 200", HEADER("1", "1", "-3", "12", "13"),
	".byte 0,1,2\n .byte 0,0xc8,1,2\n .fill 199\n" END},
    {"an extended opcode past the end", HEADER("1", "1", "-3", "12", "13"),
	".byte 0,0xff,0x7f,2\n"},
    {"extended opcodes of length 0", HEADER("1", "1", "-3", "12", "13"),
	".fill 1000, 2, 0\n" END},
    {"no end", HEADER("1", "1", "-3", "12", "13"), SET("0x1000") COPY},
    {"many files", HEADER("1", "1", "-3", "12", "13"),
	".rept 100000\n .byte 0,7,3,0x61,0,0,0,0,0\n .endr\n" END},
    {"five million rows", HEADER("1", "1", "-3", "12", "13"),
	SET("0x1000") ".fill 5000000, 1, 200\n" END},
};

TEST(programs_that_are_bombs)
{
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		struct subject s;

		assemble(&s,
		    test_format("%s%s%s%s9:\n", bombs[i].header, lengths, files,
			bombs[i].program));
		for (uint64_t pc = 0x1000; pc < 0x1010; pc++)
			assert_not_null(dwarf_plan_at(s.dwarf, pc, true));
		close_subject(&s);
	}
}

TEST(headers_that_lie)
{
	static const char *const headers[] = {
	    ".long 0",
	    ".long -1",
	    ".long 0x7fffffff\n .short 4",
	    ".long 6\n .short 4\n .long 0x7fffffff",
	    ".long 2\n .short 1",
	    ".long 2\n .short 6",
	    ".long 2\n .short 5",
	    /* version 5: a million entries of no size, of no known form */
	    ".long 9f-1f\n1: .short 5\n .byte 8,0\n .long 3f-2f\n"
	    "2: .byte 1,1,1,-3,12,1\n .byte 0, 0xff,0xff,0x3f\n3:\n9:",
	    ".long 9f-1f\n1: .short 5\n .byte 8,0\n .long 3f-2f\n"
	    "2: .byte 1,1,1,-3,12,1\n .byte 1,1,0x7f, 1,0\n3:\n9:",
	    ".long 9f-1f\n1: .short 5\n .byte 8,0\n .long 3f-2f\n"
	    "2: .byte 1,1,1,-3,12,1\n .byte 255,1,8\n3:\n9:",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct subject s;

		assemble(
		    &s, test_format(".section .debug_line\n%s\n", headers[i]));
		expect_uint(dwarf_plan_at(s.dwarf, 0x1000, true)->line, 0);
		expect_null(dwarf_plan_at(s.dwarf, 0x1000, true)->path);
		if (!expect_uint(s.warnings, 1))
			test_fail(TEST_SOFT, "%s", headers[i]);
		close_subject(&s);
	}
}

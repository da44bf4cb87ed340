/* SPDX-License-Identifier: MIT */
/*
 * DWARF that was made to hurt, and DWARF that is merely rare: written as
 * assembler, so that every byte is chosen. Each case must end soon, without a
 * crash, and give what is still to be had (guide: cycles, nesting, bombs).
 */
#include "dwarf_fixture.h"

/* Abbreviations that all cases share; CODE, TAG, children, then pairs. */
static const char abbrevs[] =
    ".section .debug_abbrev\n"
    /* 1 compile_unit: name, low_pc, high_pc */
    ".byte 1,0x11,1, 3,8, 0x11,1, 0x12,6, 0,0\n"
    /* 2 subprogram: name, low_pc, high_pc */
    ".byte 2,0x2e,1, 3,8, 0x11,1, 0x12,6, 0,0\n"
    /* 3 typedef: name, type   4 const: type   5 pointer: type */
    ".byte 3,0x16,0, 3,8, 0x49,0x13, 0,0\n"
    ".byte 4,0x26,0, 0x49,0x13, 0,0\n"
    ".byte 5,0x0f,0, 0x49,0x13, 0,0\n"
    /* 6 variable: name, type */
    ".byte 6,0x34,0, 3,8, 0x49,0x13, 0,0\n"
    /* 7 array: type, without dimension   8 subroutine: type */
    ".byte 7,0x01,0, 0x49,0x13, 0,0\n"
    ".byte 8,0x15,0, 0x49,0x13, 0,0\n"
    /* 9 lexical_block: low_pc, high_pc   10 lexical_block */
    ".byte 9,0x0b,1, 0x11,1, 0x12,6, 0,0\n"
    ".byte 10,0x0b,1, 0,0\n"
    /* 11 subprogram: abstract_origin, low_pc, high_pc */
    ".byte 11,0x2e,0, 0x31,0x13, 0x11,1, 0x12,6, 0,0\n"
    /* 12 lexical_block: sibling */
    ".byte 12,0x0b,1, 1,0x13, 0,0\n"
    /* 13 base_type: name, byte_size, encoding */
    ".byte 13,0x24,0, 3,8, 0x0b,0x0b, 0x3e,0x0b, 0,0\n"
    /* 14 structure: name, byte_size   15 member: name, type, location */
    ".byte 14,0x13,1, 3,8, 0x0b,0x0b, 0,0\n"
    ".byte 15,0x0d,0, 3,8, 0x49,0x13, 0x38,0x0b, 0,0\n"
    /* 16 variable: name, location as a list   17 name by strp */
    ".byte 16,0x34,0, 3,8, 2,0x17, 0,0\n"
    ".byte 17,0x34,0, 3,0x0e, 0x49,0x13, 0,0\n"
    /* 18 variable: name as indirect   19 subprogram: name, specification */
    ".byte 18,0x34,0, 3,0x16, 0,0\n"
    ".byte 19,0x2e,0, 3,8, 0x47,0x13, 0x11,1, 0x12,6, 0,0\n"
    /* 20 subprogram: name, ranges */
    ".byte 20,0x2e,0, 3,8, 0x55,0x17, 0,0\n"
    /* 21 structure: name, declaration   22 variable: name, const_value */
    ".byte 21,0x13,0, 3,8, 0x3c,0x19, 0,0\n"
    ".byte 22,0x34,0, 3,8, 0x1c,0x0d, 0,0\n"
    /* 23 namespace: name */
    ".byte 23,0x39,1, 3,8, 0,0\n"
    ".byte 0\n";

/* A unit of DWARF 4 over [0x1000, 0x2000), with a body. */
static const char unit_start[] =
    ".section .debug_info\n"
    "cu: .long cu_end - cu_start\n"
    "cu_start: .short 4\n .long 0\n .byte 8\n"
    ".byte 1\n .asciz \"hostile.c\"\n .quad 0x1000\n .long 0x1000\n";
static const char unit_end[] = ".byte 0\ncu_end:\n";
static const char function_start[] =
    ".byte 2\n .asciz \"f\"\n .quad 0x1000\n .long 0x100\n";

/* Assembles sections into a relocatable file without relocations. */
static void
assemble(struct subject *s, const char *text)
{
	const char *source = test_path("hostile.s");

	need_tool("as");
	test_write_file(source, text, strlen(text));
	must_run("as --64 -o %s %s", test_path("hostile.o"), source);
	open_subject(s, test_path("hostile.o"));
}

static void
assemble_unit(struct subject *s, const char *body)
{
	assemble(
	    s, test_format("%s%s%s%s", abbrevs, unit_start, body, unit_end));
}

/* Everything that can be asked, over the addresses of the unit. */
static void
ask_all(struct subject *s)
{
	const struct dwarf_call_site *const *tails;
	struct dwarf_variable v;

	for (uint64_t pc = 0xff0; pc < 0x1200; pc += 13) {
		const struct dwarf_plan *p = dwarf_plan_at(s->dwarf, pc, true);

		assert_not_null(p);
		for (unsigned i = 0; i < p->n_scopes; i++) {
			for (unsigned k = 0; k < p->scopes[i].n_variables; k++)
				(void)dwarf_type_complete(
				    s->dwarf, p->scopes[i].variables[k].type);
		}
		(void)dwarf_call_site_at(s->dwarf, pc);
		(void)dwarf_tail_calls(s->dwarf, pc, &tails);
	}
	(void)dwarf_global(s->dwarf, "nothing", NULL, &v);
	(void)dwarf_type_named(s->dwarf, "nothing");
	for (uint64_t offset = 0; offset < 64; offset++)
		(void)dwarf_die_at(s->dwarf, offset);
}

static const struct dwarf_type *
type_of_v(struct subject *s, const char *name)
{
	const struct dwarf_plan *p = dwarf_plan_at(s->dwarf, 0x1010, true);
	const struct dwarf_variable *v;

	assert_uint(p->n_scopes, 1);
	v = variable_named(&p->scopes[0], name);
	assert_not_null(v);
	return v->type;
}

static const char cycles[] =
    /* a typedef of itself, const of const, array of itself */
    "t1: .byte 3\n .asciz \"self\"\n .long t1 - cu\n"
    "t2: .byte 4\n .long t3 - cu\n"
    "t3: .byte 4\n .long t2 - cu\n"
    "t4: .byte 7\n .long t4 - cu\n"
    /* a pointer to itself, a function that returns itself: these are fine */
    "t5: .byte 5\n .long t5 - cu\n"
    "t6: .byte 8\n .long t6 - cu\n"
    "t7: .byte 3\n .asciz \"F\"\n .long t8 - cu\n"
    "t8: .byte 8\n .long t7 - cu\n"
    /* a struct that holds itself; a reference out of the unit, to a middle */
    "t9: .byte 14\n .asciz \"in\"\n .byte 4\n"
    "  .byte 15\n .asciz \"m\"\n .long t9 - cu\n .byte 0\n .byte 0\n"
    "t10: .byte 5\n .long 0x7fffffff\n"
    "t11: .byte 5\n .long 3\n"
    "t12: .byte 5\n .long t1 - cu + 2\n";

TEST(types_that_lead_to_themselves)
{
	struct subject s;
	const struct dwarf_type *t;
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_puts(&b, cycles);
	buf_puts(&b, function_start);
	for (int i = 1; i <= 12; i++)
		buf_printf(
		    &b, ".byte 6\n .asciz \"v%d\"\n .long t%d - cu\n", i, i);
	buf_puts(&b, ".byte 0\n");
	assemble_unit(&s, buf_text(&b));
	ask_all(&s);
	for (int i = 1; i <= 4; i++) {
		t = type_of_v(&s, test_format("v%d", i));
		t = dwarf_type_strip(t);
		expect_true(t->kind == DWARF_TYPE_UNKNOWN ||
		    t->kind == DWARF_TYPE_ARRAY);
	}
	t = type_of_v(&s, "v5");
	expect_int(t->kind, DWARF_TYPE_POINTER);
	expect_true(t->target == t);
	t = dwarf_type_strip(type_of_v(&s, "v7"));
	expect_int(t->kind, DWARF_TYPE_FUNCTION);
	expect_str(t->name, "F ()");
	expect_str(t->target->name, "F");
	t = dwarf_type_complete(s.dwarf, type_of_v(&s, "v9"));
	expect_uint(t->n_members, 1);
	expect_true(t->members[0].type == t);
	expect_int(type_of_v(&s, "v10")->target->kind, DWARF_TYPE_VOID);
	close_subject(&s);
	buf_deinit(&b);
}

TEST(a_chain_of_types_without_end)
{
	struct subject s;
	struct buf b;

	buf_init(&b, 1 << 24);
	for (int i = 0; i < 20000; i++)
		buf_printf(&b, "c%d: .byte %d\n .long c%d - cu\n", i,
		    i % 3 == 0 ? 5 : 4, i + 1);
	buf_printf(&b, "c20000: .byte 5\n .long 0\n%s", function_start);
	buf_puts(&b, ".byte 6\n .asciz \"v\"\n .long c0 - cu\n .byte 0\n");
	assemble_unit(&s, buf_text(&b));
	ask_all(&s);
	expect_int(type_of_v(&s, "v")->kind, DWARF_TYPE_POINTER);
	expect_true(strlen(type_of_v(&s, "v")->name) < 70000);
	close_subject(&s);
	buf_deinit(&b);
}

TEST(origins_in_a_circle)
{
	struct subject s;
	const struct dwarf_plan *p;

	assemble_unit(&s,
	    "o1: .byte 11\n .long o2 - cu\n .quad 0x1000\n .long 0x10\n"
	    "o2: .byte 11\n .long o1 - cu\n .quad 0x1010\n .long 0x10\n"
	    "o3: .byte 19\n .asciz \"g\"\n .long o3 - cu\n .quad 0x1020\n"
	    " .long 0x10\n");
	ask_all(&s);
	p = dwarf_plan_at(s.dwarf, 0x1001, true);
	expect_uint(p->n_scopes, 1);
	expect_null(p->scopes[0].name);
	expect_str(dwarf_plan_at(s.dwarf, 0x1021, true)->scopes[0].name, "g");
	close_subject(&s);
}

TEST(siblings_that_lead_back)
{
	static const char *const targets[] = {"cu", "x1", "x2", "x1 + 1",
	    "cu + 0x7fffffff", "cu_end", "cu_end + 1"};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct subject s;

		assemble_unit(&s,
		    test_format("%sx1: .byte 12\n .long %s - cu\n"
				"x2: .byte 12\n .long %s - cu\n .byte 0\n"
				" .byte 0\n .byte 0\n",
			function_start, targets[i], targets[i]));
		ask_all(&s);
		expect_str(
		    dwarf_plan_at(s.dwarf, 0x1001, true)->scopes[0].name, "f");
		close_subject(&s);
	}
}

/* Blocks within blocks, 300,000 deep, with addresses and without. */
TEST(nesting_without_end)
{
	static const char *const blocks[] = {
	    ".byte 9\n .quad 0x1000\n .long 0x100\n", ".byte 10\n"};

	for (size_t i = 0; i < 2; i++) {
		struct subject s;

		assemble_unit(&s,
		    test_format("%s .rept 300000\n %s .endr\n"
				" .byte 6\n .asciz \"v\"\n .long 0\n"
				" .fill 300001, 1, 0\n",
			function_start, blocks[i]));
		ask_all(&s);
		expect_uint(dwarf_plan_at(s.dwarf, 0x1001, true)->n_scopes, 1);
		close_subject(&s);
	}
}

TEST(children_that_do_not_end)
{
	struct subject s;

	/* No null entries at all: everything is cut off at the unit's end. */
	assemble_unit(&s,
	    test_format("%s .byte 10,10,10\n .byte 22\n .asciz \"v\"\n"
			" .byte 5\n",
		function_start));
	ask_all(&s);
	expect_uint(dwarf_plan_at(s.dwarf, 0x1001, true)->n_scopes, 1);
	close_subject(&s);
}

TEST(many_namespaces)
{
	struct subject s;
	const struct dwarf_type *t;

	assemble(&s,
	    test_format("%s.section .debug_info\n"
			"cu: .long cu_end - cu_start\n"
			"cu_start: .short 4\n .long 0\n .byte 8\n"
			".byte 24\n .asciz \"n.cc\"\n .short 0x21\n"
			" .rept 2000\n .byte 23\n .asciz \"n\"\n .endr\n"
			" .byte 14\n .asciz \"T\"\n .byte 1\n .byte 0\n"
			" .fill 2001, 1, 0\n cu_end:\n"
			".section .debug_abbrev\n",
		test_format("%.*s.byte 24,0x11,1, 3,8, 0x13,5, 0,0\n.byte 0\n",
		    (int)(strlen(abbrevs) - strlen(".byte 0\n")), abbrevs)));
	ask_all(&s);
	t = dwarf_type_named(s.dwarf, "n::T");
	expect_null(t);
	close_subject(&s);
}

TEST(abbreviations_that_are_bombs)
{
	static const struct {
		const char *what, *text;
	} cases[] = {
	    {"no end", ".byte 1,0x11,1, 3,8"},
	    {"code of 20 bytes", ".fill 20, 1, 0x80\n .byte 1,0x11,1, 0,0, 0"},
	    {"form unknown", ".byte 1,0x11,1, 3,0x7f, 0,0, 0"},
	    {"form huge", ".byte 1,0x11,1, 3,0xff,0xff,0xff,0x7f, 0,0, 0"},
	    {"tag huge", ".byte 1,0xff,0xff,0xff,0x7f,1, 3,8, 0,0, 0"},
	    {"a million attributes",
		".byte 1,0x11,1\n .fill 1000000, 2, 0x1903\n .byte 0,0, 0"},
	    {"a million codes",
		" .rept 200000\n .byte 0xff,0xff,0xff,0x3f,0x2e,0,0,0\n .endr\n"
		" .byte 1,0x11,1, 3,8, 0x11,1, 0x12,6, 0,0, 0"},
	    {"the same code twice",
		".byte 1,0x11,1, 3,8, 0x11,1, 0x12,6, 0,0\n"
		".byte 1,0x2e,0, 3,0x0e, 0,0, 0"},
	    {"empty", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct subject s;

		assemble(&s,
		    test_format(".section .debug_abbrev\n%s\n%s%s%s",
			cases[i].text, unit_start, function_start, unit_end));
		ask_all(&s);
		close_subject(&s);
	}
}

TEST(units_that_lie)
{
	static const char *const headers[] = {
	    ".long 0",
	    ".long 0,0,0,0",
	    ".long 0xffffffff",
	    ".long 0xfffffff0",
	    ".long 0x7fffffff\n .short 4",
	    ".long 0xffffffff\n .quad -1",
	    ".long 7\n .short 1\n .fill 5",
	    ".long 7\n .short 6\n .fill 5",
	    ".long 7\n .short 4\n .long 0\n .byte 0",
	    ".long 7\n .short 4\n .long 0\n .byte 255",
	    ".long 2\n .short 5",
	    ".long 8\n .short 5\n .byte 99,8\n .long 0",
	    ".long 7\n .short 4\n .long 0x7fffffff\n .byte 8",
	    ".long 3\n .short 4\n .byte 0\n .byte 1,2,3",
	    ".byte 1",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct subject s;

		assemble(&s,
		    test_format(
			"%s.section .debug_info\n%s\n", abbrevs, headers[i]));
		ask_all(&s);
		expect_uint(dwarf_plan_at(s.dwarf, 0x1001, true)->n_scopes, 0);
		close_subject(&s);
	}
}

TEST(half_a_million_units)
{
	struct subject s;

	assemble(&s,
	    test_format("%s.section .debug_info\n .rept 500000\n .long 7\n"
			" .short 4\n .long 0\n .byte 8\n .endr\n%s%s%s",
		abbrevs, unit_start, function_start, unit_end));
	expect_str(dwarf_plan_at(s.dwarf, 0x1001, true)->scopes[0].name, "f");
	expect_uint(dwarf_stats(s.dwarf)->units_total, 500001);
	expect_true(dwarf_stats(s.dwarf)->units_parsed < 3);
	close_subject(&s);
}

TEST(units_of_both_sizes_and_all_versions)
{
	static const char *const headers[] = {
	    "cu: .long cu_end - 1f\n1: .short 2\n .long 0\n .byte 8\n",
	    "cu: .long cu_end - 1f\n1: .short 3\n .long 0\n .byte 8\n",
	    "cu: .long cu_end - 1f\n1: .short 5\n .byte 1,8\n .long 0\n",
	    "cu: .long -1\n .quad cu_end - 1f\n1: .short 3\n .quad 0\n"
	    " .byte 8\n",
	    "cu: .long -1\n .quad cu_end - 1f\n1: .short 5\n .byte 1,8\n"
	    " .quad 0\n",
	    "cu: .long cu_end - 1f\n1: .short 5\n .byte 4,8\n .long 0\n"
	    " .quad 0x1234\n",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct subject s;

		assemble(&s,
		    test_format("%s.section .debug_info\n%s"
				".byte 1\n .asciz \"h.c\"\n .quad 0x1000\n"
				".long 0x1000\n%s%s.byte 0\n%s",
			abbrevs, headers[i], cycles, function_start, unit_end));
		expect_str(
		    dwarf_plan_at(s.dwarf, 0x1001, true)->scopes[0].name, "f");
		close_subject(&s);
	}
}

TEST(strings_that_are_not_there)
{
	struct subject s;
	const struct dwarf_plan *p;

	assemble(&s,
	    test_format("%s.section .debug_str\n .ascii \"no end\"\n%s%s"
			".byte 17\n .long 0\n .long 0\n"
			".byte 17\n .long 0x7fffffff\n .long 0\n"
			".byte 18\n .byte 0x16\n"
			".byte 0\n%s",
		abbrevs, unit_start, function_start, unit_end));
	ask_all(&s);
	p = dwarf_plan_at(s.dwarf, 0x1001, true);
	expect_str(p->scopes[0].name, "f");
	expect_uint(p->scopes[0].n_variables, 0); /* none has a name */
	close_subject(&s);
}

/* A variable with a location list; which bytes rule at 0x1010? */
static void
check_list(
    const char *what, const char *list, enum bt_error_code code, uint8_t first)
{
	const struct dwarf_variable *v;
	struct subject s;
	struct view block;
	bt_error_t e;

	assemble(&s,
	    test_format("%s.section .debug_loc\n%s\n%s%s"
			".byte 16\n .asciz \"v\"\n .long 0\n .byte 0\n%s",
		abbrevs, list, unit_start, function_start, unit_end));
	v = variable_named(
	    &dwarf_plan_at(s.dwarf, 0x1010, true)->scopes[0], "v");
	assert_not_null(v);
	expect_int(v->location.kind, DWARF_LOC_LIST);
	if (code != BT_OK) {
		expect_code(dwarf_location_at(&v->location, 0x1010, &block, &e),
		    &e, code);
	} else if (!expect_ok(
		       dwarf_location_at(&v->location, 0x1010, &block, &e),
		       &e) ||
	    !expect_uint(view_u8(&block), first)) {
		test_fail(TEST_SOFT, "in the case: %s", what);
	}
	close_subject(&s);
}

TEST(location_lists_good_and_bad)
{
	check_list(
	    "covered", ".quad 0, 0x20\n .short 1\n .byte 0x51", BT_OK, 0x51);
	check_list("second",
	    ".quad 0, 8\n .short 1\n .byte 0x50\n"
	    ".quad 8, 0x20\n .short 1\n .byte 0x52\n .quad 0,0",
	    BT_OK, 0x52);
	check_list("other base",
	    ".quad -1, 0x1008\n .quad 0, 16\n .short 1\n .byte 0x53\n"
	    ".quad 0,0",
	    BT_OK, 0x53);
	check_list("not covered",
	    ".quad 0, 8\n .short 1\n .byte 0x50\n"
	    ".quad 0,0",
	    BT_E_NOTFOUND, 0);
	check_list("end before start",
	    ".quad 0x20, 0\n .short 1\n .byte 0x50\n .quad 0,0", BT_E_NOTFOUND,
	    0);
	check_list("endless bases", ".rept 100000\n .quad -1, 7\n .endr",
	    BT_E_FORMAT, 0);
	check_list(
	    "cut off", ".quad 0, 0x20\n .short 9\n .byte 0x50", BT_E_FORMAT, 0);
	check_list("empty", "", BT_E_FORMAT, 0);
}

TEST(range_lists_good_and_bad)
{
	static const struct {
		const char *what, *list;
		bool covers;
	} cases[] = {
	    {"covered", ".quad 0, 0x20, 0, 0", true},
	    {"other base", ".quad -1, 0x1008, 0, 9, 0, 0", true},
	    {"second", ".quad 0x80, 0x90, 0, 0x20, 0, 0", true},
	    {"end before start", ".quad 0x20, 0, 0, 0", false},
	    {"past the end of memory", ".quad 0, -1, 0, 0", false},
	    {"endless bases", ".rept 100000\n .quad -1, 7\n .endr", false},
	    {"cut off", ".quad 0", false},
	    {"of dropped code", ".quad -1, -1, 0x1000, 0x1020, 0, 0", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct subject s;

		assemble(&s,
		    test_format("%s.section .debug_ranges\n%s\n%s"
				".byte 20\n .asciz \"r\"\n .long 0\n%s",
			abbrevs, cases[i].list, unit_start, unit_end));
		if (!expect_uint(dwarf_plan_at(s.dwarf, 0x1010, true)->n_scopes,
			cases[i].covers))
			test_fail(TEST_SOFT, "in the case: %s", cases[i].what);
		ask_all(&s);
		close_subject(&s);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Types made by hand over bytes made by hand: every kind of leaf, members,
 * bit-fields, arrays, text, what is missing and what is cut. No core needed.
 */
#include "harness/test.h"
#include "value/value_private.h"
#include <math.h>

enum {
	ATE_BOOL = 2,
	ATE_COMPLEX = 3,
	ATE_FLT = 4,
	ATE_INT = 5,
	ATE_SCHAR = 6,
	ATE_UINT = 7,
	ATE_UCHAR = 8,
	ATE_UTF8 = 0x10
};

struct fixture {
	struct snapshot snapshot;
	struct budget budget;
	struct value_reader *r;
	struct evaluator ev;
};

static void
set_up(struct fixture *f, const struct value_limits *limits)
{
	struct value_reader_options options = {
	    .snapshot = &f->snapshot,
	    .budget = &f->budget,
	    .limits = limits,
	};

	assert_true(snapshot_init(&f->snapshot, 64 << 20));
	budget_init(&f->budget, 1000000, 0);
	f->r = value_reader_create(&options);
	assert_true(f->r != NULL);
	f->ev = (struct evaluator){.r = f->r};
	value_begin(f->r);
}

static void
tear_down(struct fixture *f)
{
	value_reader_destroy(f->r);
	snapshot_deinit(&f->snapshot);
}

static struct dwarf_type
base_type(const char *name, uint8_t encoding, uint64_t size)
{
	return (struct dwarf_type){
	    .kind = DWARF_TYPE_BASE,
	    .name = name,
	    .encoding = encoding,
	    .size = size,
	    .has_size = true,
	    .completed = true,
	};
}

/* Bytes of a register or of pieces; state NULL: all there. */
static struct snap_variable
read_bytes(struct fixture *f, const struct dwarf_type *type, const void *bytes,
    size_t size, const uint8_t *state)
{
	static uint8_t all_bits[4096];
	struct snap_variable v = {.name = "v", .type = ""};
	struct source source = {
	    .kind = SOURCE_BYTES,
	    .bytes = bytes,
	    .size = size,
	    .state = state,
	    .gaps = all_bits,
	};
	struct shape *s = shape_of(f->r, NULL, type);

	memset(all_bits, 0xff, sizeof(all_bits));
	assert_true(s != NULL);
	value_read(&f->ev, s, &source, 0, 0, &v);
	return v;
}

static void
expect_text(const struct snap_variable *v, const char *text, size_t size)
{
	expect_true((v->flags & SNAP_VAR_STRING) != 0);
	expect_int(v->string_size, size);
	if (v->string_size == size)
		expect_mem(v->string, text, size);
}

/* ---- leaves ---- */

TEST(integers)
{
	static const struct {
		uint8_t encoding, size;
		const char *bytes;
		int kind;
		int64_t value;
	} cases[] = {
	    {ATE_INT, 1, "\x80", SNAP_INT, -128},
	    {ATE_INT, 2, "\xff\x7f", SNAP_INT, 32767},
	    {ATE_INT, 4, "\xfe\xff\xff\xff", SNAP_INT, -2},
	    {ATE_UINT, 4, "\xfe\xff\xff\xff", SNAP_UINT, 0xfffffffe},
	    {ATE_INT, 8, "\0\0\0\0\0\0\0\x80", SNAP_INT, INT64_MIN},
	    {ATE_UINT, 3, "\x01\x02\x03", SNAP_UINT, 0x030201},
	    {ATE_INT, 3, "\xff\xff\xff", SNAP_INT, -1},
	    {ATE_BOOL, 1, "\x01", SNAP_BOOL, 1},
	    {ATE_BOOL, 1, "\x00", SNAP_BOOL, 0},
	    {ATE_BOOL, 1, "\x5a", SNAP_UINT, 0x5a},
	    {ATE_SCHAR, 1, "\xff", SNAP_CHAR, -1},
	    {ATE_UCHAR, 1, "\xff", SNAP_CHAR, 255},
	};
	struct fixture f;

	set_up(&f, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct dwarf_type t = base_type(
		    "t", cases[i].encoding, cases[i].size);
		struct snap_variable v = read_bytes(
		    &f, &t, cases[i].bytes, cases[i].size, NULL);

		expect_int(v.kind, cases[i].kind);
		expect_true((v.flags & SNAP_VAR_VALUE) != 0);
		expect_int(v.value.i, cases[i].value);
		expect_str(v.type, "t");
		/* The next case's type is at the same place. */
		map_clear(&f.r->shapes);
	}
	tear_down(&f);
}

TEST(wide_integers)
{
	static const struct {
		uint8_t encoding;
		uint64_t low, high;
		const char *number; /* NULL: fits */
	} cases[] = {
	    {ATE_INT, 7, 0, NULL},
	    {ATE_INT, (uint64_t)-7, UINT64_MAX, NULL},
	    {ATE_UINT, UINT64_MAX, 0, NULL},
	    {ATE_INT, UINT64_MAX, 0, "18446744073709551615"},
	    {ATE_UINT, UINT64_MAX, UINT64_MAX,
		"340282366920938463463374607431768211455"},
	    {ATE_INT, 0, UINT64_C(1) << 63,
		"-170141183460469231731687303715884105728"},
	    {ATE_INT, 0, UINT64_MAX, "-18446744073709551616"},
	};
	struct fixture f;

	set_up(&f, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct dwarf_type t = base_type("wide", cases[i].encoding, 16);
		uint64_t words[2] = {cases[i].low, cases[i].high};
		struct snap_variable v = read_bytes(
		    &f, &t, words, sizeof(words), NULL);

		expect_int(v.value.u, cases[i].low);
		if (cases[i].number == NULL)
			expect_true(v.number == NULL);
		else
			expect_str(v.number, cases[i].number);
		map_clear(&f.r->shapes);
	}
	tear_down(&f);
}

TEST(floats)
{
	static const struct {
		const char *name;
		uint8_t size;
		const char *bytes;
		double value;
		const char *number;
	} cases[] = {
	    {"float", 4, "\0\0\xc0\x3f", 1.5, NULL},
	    {"double", 8, "\0\0\0\0\0\0\x04\xc0", -2.5, NULL},
	    {"_Float16", 2, "\x00\x3e", 1.5, NULL},
	    {"_Float16", 2, "\x01\x00", 0x1p-24, NULL},
	    {"_Float16", 2, "\x00\xfc", -INFINITY, NULL},
	    {"__bf16", 2, "\xc0\x3f", 1.5, NULL},
	    {"long double", 16, "\0\0\0\0\0\0\0\xc0\xff\x3f\x55\x55", 1.5,
		NULL},
	    /* 1 + 2^-63 */
	    {"long double", 16, "\1\0\0\0\0\0\0\x80\xff\x3f\0\0\0\0\0\0", 1.0,
		"1.00000000000000000011"},
	    {"_Float128", 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\x80\xff\x3f", 1.5,
		NULL},
	    /* 1 + 2^-112 */
	    {"_Float128", 16, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\x3f", 1.0,
		"1.00000000000000000000000000000000019"},
	};
	struct fixture f;

	set_up(&f, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct dwarf_type t = base_type(
		    cases[i].name, ATE_FLT, cases[i].size);
		struct snap_variable v = read_bytes(
		    &f, &t, cases[i].bytes, cases[i].size, NULL);

		expect_int(v.kind, SNAP_FLOAT);
		expect_true(v.value.f == cases[i].value);
		if (cases[i].number == NULL)
			expect_true(v.number == NULL);
		else if (expect_true(v.number != NULL))
			expect_str(v.number, cases[i].number);
		map_clear(&f.r->shapes);
	}
	tear_down(&f);
}

TEST(complex_parts)
{
	struct dwarf_type t = base_type("complex double", ATE_COMPLEX, 16);
	double parts[2] = {1.25, -3};
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	v = read_bytes(&f, &t, parts, sizeof(parts), NULL);
	expect_int(v.kind, SNAP_COMPLEX);
	expect_true(v.value.complex_parts[0] == 1.25);
	expect_true(v.value.complex_parts[1] == -3);
	tear_down(&f);
}

TEST(enums)
{
	struct dwarf_enumerator plain[] = {
	    {"GREEN", 7}, {"RED", 3}, {"ROSE", 3}};
	struct dwarf_enumerator flags[] = {{"A", 1}, {"B", 2}, {"C", 8}};
	struct dwarf_enumerator negative[] = {{"NONE", -1}, {"SOME", 1}};
	struct dwarf_type types[] = {
	    {.kind = DWARF_TYPE_ENUM,
		.name = "enum color",
		.size = 4,
		.has_size = true,
		.completed = true,
		.n_enumerators = 3,
		.enumerators = plain},
	    {.kind = DWARF_TYPE_ENUM,
		.name = "enum flags",
		.size = 4,
		.has_size = true,
		.completed = true,
		.n_enumerators = 3,
		.enumerators = flags,
		.is_flag_enum = true},
	    {.kind = DWARF_TYPE_ENUM,
		.name = "enum neg",
		.size = 4,
		.has_size = true,
		.completed = true,
		.n_enumerators = 2,
		.enumerators = negative},
	    {.kind = DWARF_TYPE_ENUM,
		.name = "ns::Scoped",
		.size = 4,
		.has_size = true,
		.completed = true,
		.n_enumerators = 2,
		.enumerators = negative,
		.is_enum_class = true},
	    {.kind = DWARF_TYPE_ENUM,
		.name = "ns::Open",
		.size = 4,
		.has_size = true,
		.completed = true,
		.n_enumerators = 2,
		.enumerators = negative},
	};
	static const struct {
		int type;
		uint32_t bits;
		int64_t value;
		const char *label; /* NULL: none */
	} cases[] = {
	    {0, 3, 3, "RED"}, /* the first of two with one value */
	    {0, 7, 7, "GREEN"},
	    {0, 4, 4, NULL},
	    {0, UINT32_MAX, UINT32_MAX, NULL},
	    {1, 3, 3, "A | B"},
	    {1, 8, 8, "C"},
	    {1, 13, 13, "A | C | unknown: 0x4"},
	    {1, 4, 4, NULL},
	    {1, 0, 0, NULL},
	    {2, UINT32_MAX, -1, "NONE"},
	    {3, 1, 1, "ns::Scoped::SOME"},
	    {4, 1, 1, "ns::SOME"},
	};
	struct fixture f;

	set_up(&f, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct snap_variable v = read_bytes(
		    &f, &types[cases[i].type], &cases[i].bits, 4, NULL);

		expect_int(v.kind, SNAP_ENUM);
		expect_int(v.value.i, cases[i].value);
		if (cases[i].label == NULL)
			expect_true((v.flags & SNAP_VAR_STRING) == 0);
		else
			expect_text(&v, cases[i].label, strlen(cases[i].label));
	}
	tear_down(&f);
}

/* ---- aggregates ---- */

TEST(members_and_bit_fields)
{
	struct dwarf_type i32 = base_type("int", ATE_INT, 4);
	struct dwarf_type u64 = base_type("unsigned long", ATE_UINT, 8);
	struct dwarf_member members[] = {
	    {.name = "a", .type = &i32, .offset = 0},
	    {.name = "b", .type = &i32, .bit_size = 3, .bit_offset = 32},
	    {.name = "c", .type = &i32, .bit_size = 5, .bit_offset = 35},
	    {.name = "shared", .type = &i32, .is_static = true},
	    /* 62 bits that begin within a byte touch nine bytes. */
	    {.name = "d", .type = &u64, .bit_size = 62, .bit_offset = 67},
	};
	struct dwarf_type t = {
	    .kind = DWARF_TYPE_STRUCT,
	    .name = "struct s",
	    .size = 24,
	    .has_size = true,
	    .completed = true,
	    .n_members = 5,
	    .members = members,
	};
	uint8_t bytes[24] = {0xff, 0xff, 0xff, 0xff, 0x97};
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	bytes[8] = 0xf8;
	memset(bytes + 9, 0xff, 7);
	bytes[16] = 0x01;
	v = read_bytes(&f, &t, bytes, sizeof(bytes), NULL);
	expect_int(v.kind, SNAP_STRUCT);
	assert_int(v.n_children, 4);
	expect_str(v.children[0].name, "a");
	expect_int(v.children[0].value.i, -1);
	/* 0x97 = 10010 111b */
	expect_int(v.children[1].value.i, -1);
	expect_int(v.children[2].value.i, -14);
	expect_str(v.children[3].name, "d");
	expect_int(v.children[3].value.u, (UINT64_C(1) << 62) - 1);
	tear_down(&f);
}

TEST(partly_optimized_out)
{
	struct dwarf_type i32 = base_type("int", ATE_INT, 4);
	struct dwarf_member members[] = {
	    {.name = "a", .type = &i32, .offset = 0},
	    {.name = "b", .type = &i32, .offset = 4},
	    {.name = "c", .type = &i32, .offset = 8},
	};
	struct dwarf_type t = {
	    .kind = DWARF_TYPE_STRUCT,
	    .name = "struct s",
	    .size = 12,
	    .has_size = true,
	    .completed = true,
	    .n_members = 3,
	    .members = members,
	};
	uint8_t bytes[12] = {5};
	uint8_t state[12] = {
	    0, 0, 0, 0, BYTE_OPTIMIZED_OUT, 1, 1, 1, 0, 0, BYTE_NOT_SAVED, 0};
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	v = read_bytes(&f, &t, bytes, sizeof(bytes), state);
	assert_int(v.n_children, 3);
	expect_int(v.children[0].value.i, 5);
	expect_int(v.children[1].kind, SNAP_UNAVAILABLE);
	expect_str(v.children[1].reason, "optimized out");
	expect_int(v.children[2].kind, SNAP_UNAVAILABLE);
	expect_str(v.children[2].reason, "register not saved");
	memset(state, BYTE_OPTIMIZED_OUT, sizeof(state));
	v = read_bytes(&f, &t, bytes, sizeof(bytes), state);
	expect_int(v.kind, SNAP_UNAVAILABLE);
	expect_str(v.reason, "optimized out");
	/* The register is shorter than the object. */
	v = read_bytes(&f, &t, bytes, 8, NULL);
	assert_int(v.n_children, 3);
	expect_int(v.children[1].kind, SNAP_INT);
	expect_int(v.children[2].kind, SNAP_UNAVAILABLE);
	tear_down(&f);
}

static struct dwarf_type
array_type(const char *name, const struct dwarf_type *element,
    struct dwarf_bound *bounds, unsigned n)
{
	return (struct dwarf_type){
	    .kind = DWARF_TYPE_ARRAY,
	    .name = name,
	    .target = element,
	    .bounds = bounds,
	    .n_bounds = n,
	    .completed = true,
	};
}

TEST(arrays)
{
	struct dwarf_type i16 = base_type("short", ATE_INT, 2);
	struct dwarf_bound two[] = {{.kind = DWARF_BOUND_COUNT, .count = 2},
	    {.kind = DWARF_BOUND_COUNT, .count = 3}};
	struct dwarf_bound many[] = {
	    {.kind = DWARF_BOUND_COUNT, .count = 1000}};
	struct dwarf_type t = array_type("short [2][3]", &i16, two, 2);
	struct dwarf_type big = array_type("short [1000]", &i16, many, 1);
	int16_t values[1000] = {1, 2, 3, 4, 5, -6};
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	v = read_bytes(&f, &t, values, 12, NULL);
	expect_int(v.kind, SNAP_ARRAY);
	assert_int(v.n_children, 2);
	expect_str(v.children[1].type, "short [3]");
	assert_int(v.children[1].n_children, 3);
	expect_int(v.children[1].children[0].value.i, 4);
	expect_int(v.children[1].children[2].value.i, -6);
	expect_str(v.children[1].children[2].type, "short");
	expect_int(v.flags & SNAP_VAR_TRUNCATED, 0);
	v = read_bytes(&f, &big, values, sizeof(values), NULL);
	expect_int(v.n_children, 64);
	expect_int(v.length, 1000);
	expect_true((v.flags & SNAP_VAR_TRUNCATED) != 0);
	tear_down(&f);
}

/* 2^47 elements and more of them: only what is shown is touched, and what
 * cannot be is refused. */
TEST(absurd_bounds)
{
	struct dwarf_type i64 = base_type("long", ATE_INT, 8);
	struct dwarf_bound huge[] = {
	    {.kind = DWARF_BOUND_COUNT, .count = UINT64_C(1) << 47}};
	struct dwarf_bound absurd[] = {
	    {.kind = DWARF_BOUND_COUNT, .count = UINT64_MAX}};
	struct dwarf_bound wraps[] = {{.kind = DWARF_BOUND_COUNT, .count = 2},
	    {.kind = DWARF_BOUND_COUNT, .count = UINT64_C(1) << 47},
	    {.kind = DWARF_BOUND_COUNT, .count = UINT64_C(1) << 47}};
	struct dwarf_type t = array_type("long [huge]", &i64, huge, 1);
	struct dwarf_type no = array_type("long [absurd]", &i64, absurd, 1);
	struct dwarf_type w = array_type("long [2][w][w]", &i64, wraps, 3);
	int64_t values[2] = {1, 2};
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	v = read_bytes(&f, &t, values, sizeof(values), NULL);
	expect_int(v.n_children, 64);
	expect_int(v.children[1].value.i, 2);
	expect_int(v.children[2].kind, SNAP_UNAVAILABLE);
	v = read_bytes(&f, &no, values, sizeof(values), NULL);
	expect_int(v.kind, SNAP_UNAVAILABLE);
	v = read_bytes(&f, &w, values, sizeof(values), NULL);
	expect_int(v.n_children, 0);
	tear_down(&f);
}

/* ---- text ---- */

TEST(text_of_arrays)
{
	struct dwarf_type ch = base_type("char", ATE_SCHAR, 1);
	struct dwarf_type wide = base_type("char32_t", ATE_UTF8, 4);
	struct dwarf_type half = base_type("char16_t", ATE_UTF8, 2);
	struct dwarf_bound bound[] = {{.kind = DWARF_BOUND_COUNT, .count = 8}};
	struct dwarf_type a = array_type("char [8]", &ch, bound, 1);
	struct dwarf_type w = array_type("char32_t [8]", &wide, bound, 1);
	struct dwarf_type h = array_type("char16_t [8]", &half, bound, 1);
	uint32_t points[8] = {'A', 0xe9, 0x20ac, 0x1f600, 0xd800};
	uint16_t units[8] = {'x', 0xd83d, 0xde00, 0xdc00};
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	v = read_bytes(&f, &a, "ab\0\xff\0\0\0\0", 8, NULL);
	expect_int(v.kind, SNAP_STRING);
	expect_text(&v, "ab\0\xff", 4);
	expect_int(v.flags & SNAP_VAR_TRUNCATED, 0);
	v = read_bytes(&f, &a, "\0\0\0\0\0\0\0\0", 8, NULL);
	expect_text(&v, "", 0);
	v = read_bytes(&f, &w, points, sizeof(points), NULL);
	expect_text(&v, "A\u00e9\u20ac\U0001f600\ufffd", 13);
	v = read_bytes(&f, &h, units, sizeof(units), NULL);
	expect_text(&v, "x\U0001f600\ufffd", 8);
	tear_down(&f);
}

/* Known up to where the description ends; or with a hole, and then as the
 * characters that are there. */
TEST(partly_known_text)
{
	struct dwarf_type ch = base_type("char", ATE_SCHAR, 1);
	struct dwarf_bound bound[] = {{.kind = DWARF_BOUND_COUNT, .count = 4}};
	struct dwarf_type a = array_type("char [4]", &ch, bound, 1);
	const uint8_t rest[4] = {0, 0, BYTE_UNDESCRIBED, BYTE_UNDESCRIBED};
	const uint8_t hole[4] = {0, BYTE_OPTIMIZED_OUT, 0, 0};
	const uint8_t none[4] = {BYTE_UNDESCRIBED, BYTE_UNDESCRIBED,
	    BYTE_UNDESCRIBED, BYTE_UNDESCRIBED};
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	v = read_bytes(&f, &a, "abcd", 4, rest);
	expect_text(&v, "ab", 2);
	expect_true((v.flags & SNAP_VAR_TRUNCATED) != 0);
	expect_int(v.length, 4);
	v = read_bytes(&f, &a, "abcd", 4, hole);
	expect_int(v.kind, SNAP_ARRAY);
	assert_int(v.n_children, 4);
	expect_int(v.children[0].value.i, 'a');
	expect_int(v.children[1].kind, SNAP_UNAVAILABLE);
	expect_str(v.children[1].reason, "optimized out");
	expect_int(v.children[3].value.i, 'd');
	v = read_bytes(&f, &a, "abcd", 4, none);
	expect_int(v.kind, SNAP_UNAVAILABLE);
	expect_str(v.reason, "optimized out");
	tear_down(&f);
}

TEST(cut_text)
{
	struct value_limits limits = value_default_limits;
	struct dwarf_type ch = base_type("char", ATE_SCHAR, 1);
	struct dwarf_bound bound[] = {{.kind = DWARF_BOUND_COUNT, .count = 12}};
	struct dwarf_type a = array_type("char [12]", &ch, bound, 1);
	struct snap_variable v;
	struct fixture f;

	limits.string_bytes = 4;
	set_up(&f, &limits);
	v = read_bytes(&f, &a, "abcdefgh\0\0\0\0", 12, NULL);
	expect_text(&v, "abcd", 4);
	expect_true((v.flags & SNAP_VAR_TRUNCATED) != 0);
	expect_int(v.length, 12);
	/* Four letters and then nothing: not cut. */
	v = read_bytes(&f, &a, "abcd\0\0\0\0\0\0\0\0", 12, NULL);
	expect_text(&v, "abcd", 4);
	expect_int(v.flags & SNAP_VAR_TRUNCATED, 0);
	tear_down(&f);
}

/* ---- limits ---- */

/* struct s { struct s again; } cannot be; damaged DWARF says so anyway. */
TEST(endless_nesting)
{
	struct dwarf_member member = {.name = "again"};
	struct dwarf_type t = {
	    .kind = DWARF_TYPE_STRUCT,
	    .name = "struct s",
	    .size = 8,
	    .has_size = true,
	    .completed = true,
	    .n_members = 1,
	    .members = &member,
	};
	const struct snap_variable *p;
	struct snap_variable v;
	unsigned depth = 0;
	struct fixture f;

	member.type = &t;
	set_up(&f, NULL);
	v = read_bytes(&f, &t, "12345678", 8, NULL);
	for (p = &v; p->n_children == 1; p = p->children)
		depth++;
	expect_int(depth, value_default_limits.depth);
	expect_int(p->kind, SNAP_UNAVAILABLE);
	expect_str(p->reason, "limit");
	tear_down(&f);
}

TEST(nodes_and_caps)
{
	struct dwarf_type i8 = base_type("tiny", ATE_INT, 1);
	struct dwarf_bound bounds[] = {{.kind = DWARF_BOUND_COUNT, .count = 64},
	    {.kind = DWARF_BOUND_COUNT, .count = 64},
	    {.kind = DWARF_BOUND_COUNT, .count = 64}};
	struct dwarf_type t = array_type("tiny [64][64][64]", &i8, bounds, 3);
	static uint8_t bytes[1];
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	v = read_bytes(&f, &t, bytes, sizeof(bytes), NULL);
	expect_int(f.r->nodes_left, 0);
	expect_int(v.n_children, 64);
	expect_true(f.snapshot.values_bytes <=
	    2 * VALUE_NODES_MAX * sizeof(struct snap_variable));
	f.snapshot.values_bytes = f.snapshot.values_cap;
	value_begin(f.r);
	v = read_bytes(&f, &t, bytes, sizeof(bytes), NULL);
	expect_int(v.kind, SNAP_UNAVAILABLE);
	expect_str(v.reason, "limit");
	tear_down(&f);
}

TEST(spent_budget)
{
	struct dwarf_type i32 = base_type("int", ATE_INT, 4);
	struct snap_variable v;
	struct fixture f;

	set_up(&f, NULL);
	budget_init(&f.budget, 0, 0);
	v = read_bytes(&f, &i32, "1234", 4, NULL);
	expect_int(v.kind, SNAP_UNAVAILABLE);
	expect_str(v.reason, "limit");
	tear_down(&f);
}

/* ---- locations ---- */

static void
locate(struct fixture *f, const void *expression, size_t size,
    uint64_t object_size, struct source *out)
{
	value_locate_block(
	    &f->ev, NULL, view_of(expression, size), object_size, out);
}

TEST(pieces)
{
	/* lit5 stack_value piece 4; piece 4 (gone); implicit 2 bytes, piece 2;
	 * an object of 12 bytes: the last two are described by nothing. */
	static const uint8_t expression[] = {
	    0x35, 0x9f, 0x93, 4, 0x93, 4, 0x9e, 2, 0xaa, 0xbb, 0x93, 2};
	const char *reason = NULL;
	const uint8_t *p;
	struct source s;
	struct fixture f;

	set_up(&f, NULL);
	locate(&f, expression, sizeof(expression), 12, &s);
	assert_int(s.kind, SOURCE_BYTES);
	expect_int(s.size, 12);
	p = source_get(f.r, &s, 0, 4, NULL, &reason);
	if (expect_true(p != NULL))
		expect_int(p[0], 5);
	expect_true(source_get(f.r, &s, 4, 1, NULL, &reason) == NULL);
	expect_str(reason, "optimized out");
	p = source_get(f.r, &s, 8, 2, NULL, &reason);
	if (expect_true(p != NULL))
		expect_int(p[1], 0xbb);
	expect_true(source_get(f.r, &s, 10, 1, NULL, &reason) == NULL);
	expect_true(source_get(f.r, &s, 6, 4, NULL, &reason) == NULL);
	expect_true(source_get(f.r, &s, UINT64_MAX, 2, NULL, &reason) == NULL);
	tear_down(&f);
}

/* Bit pieces: 4 bits of 0xa, then 4 bits of 0x5 taken from bit 4 on. */
TEST(bit_pieces)
{
	static const uint8_t expression[] = {
	    0x3a, 0x9f, 0x9d, 4, 0, 0x08, 0x53, 0x9f, 0x9d, 4, 4};
	const char *reason = NULL;
	const uint8_t *p;
	struct source s;
	struct fixture f;

	set_up(&f, NULL);
	locate(&f, expression, sizeof(expression), 1, &s);
	assert_int(s.kind, SOURCE_BYTES);
	p = source_get(f.r, &s, 0, 1, NULL, &reason);
	if (expect_true(p != NULL))
		expect_int(p[0], 0x5a);
	tear_down(&f);
}

/* Bits 0-2 gone, bits 3-7 known: a bit-field in them is, the byte is not. */
TEST(bits_of_a_gap)
{
	/* bit_piece 3 (nothing); lit 21, stack_value, bit_piece 5 */
	static const uint8_t expression[] = {
	    0x9d, 3, 0, 0x45, 0x9f, 0x9d, 5, 0};
	const char *reason = NULL;
	uint64_t bits = 0;
	struct source s;
	struct fixture f;

	set_up(&f, NULL);
	locate(&f, expression, sizeof(expression), 1, &s);
	assert_int(s.kind, SOURCE_BYTES);
	expect_true(source_bits(f.r, &s, 3, 5, &bits, &reason));
	expect_int(bits, 21);
	expect_true(source_bits(f.r, &s, 4, 4, &bits, &reason));
	expect_int(bits, 10);
	expect_false(source_bits(f.r, &s, 2, 2, &bits, &reason));
	expect_str(reason, "optimized out");
	expect_false(source_bits(f.r, &s, 3, 6, &bits, &reason));
	expect_false(source_byte_missing(&s, 0));
	expect_true(source_get(f.r, &s, 0, 1, NULL, &reason) == NULL);
	tear_down(&f);
}

TEST(no_frame_no_registers)
{
	static const uint8_t reg[] = {0x53};	   /* DW_OP_reg3 */
	static const uint8_t breg[] = {0x73, 8};   /* DW_OP_breg3 8 */
	static const uint8_t fbreg[] = {0x91, 0};  /* DW_OP_fbreg 0 */
	static const uint8_t bad[] = {0xff, 0xff}; /* no such operation */
	static const uint8_t entry[] = {0xa3, 1, 0x55, 0x9f};
	struct source s;
	struct fixture f;

	set_up(&f, NULL);
	locate(&f, reg, sizeof(reg), 4, &s);
	expect_int(s.kind, SOURCE_NONE);
	expect_str(s.reason, "register not saved");
	locate(&f, breg, sizeof(breg), 4, &s);
	expect_str(s.reason, "register not saved");
	locate(&f, fbreg, sizeof(fbreg), 4, &s);
	expect_int(s.kind, SOURCE_NONE);
	locate(&f, bad, sizeof(bad), 4, &s);
	expect_int(s.kind, SOURCE_NONE);
	expect_true(strstr(s.reason, "location") != NULL);
	locate(&f, entry, sizeof(entry), 4, &s);
	expect_str(s.reason, "optimized out");
	locate(&f, NULL, 0, 4, &s);
	expect_str(s.reason, "optimized out");
	tear_down(&f);
}

TEST(constants)
{
	struct dwarf_location location = {
	    .kind = DWARF_LOC_CONST,
	    .constant = -2,
	    .constant_is_signed = true,
	};
	struct dwarf_type wide = base_type("wide", ATE_INT, 16);
	struct snap_variable v = {.name = "v", .type = ""};
	struct source s;
	struct fixture f;

	set_up(&f, NULL);
	value_locate(&f.ev, &location, 16, &s);
	value_read(&f.ev, shape_of(f.r, NULL, &wide), &s, 0, 0, &v);
	expect_int(v.value.i, -2);
	expect_true(v.number == NULL);
	location.kind = DWARF_LOC_BYTES;
	location.block = view_of("0123456789abcdef0123456789abcdefXY", 34);
	value_locate(&f.ev, &location, 34, &s);
	expect_int(s.kind, SOURCE_BYTES);
	expect_int(s.size, 34);
	tear_down(&f);
}

/* ---- variants ---- */

/* Low and high of 128 bits, from 64 with their sign. */
static struct dwarf_discriminant
between(int64_t low, int64_t high)
{
	return (struct dwarf_discriminant){
	    {(uint64_t)low, low < 0 ? UINT64_MAX : 0},
	    {(uint64_t)high, high < 0 ? UINT64_MAX : 0},
	};
}

/* An object of 4 bytes: discriminant, unused, and two bytes that variants
 * "One" (values 1, and 5 to 9), "Minus" (-2) and "Rest" name. */
struct variants {
	struct dwarf_type number, payload, object;
	struct dwarf_member field, members[3];
	struct dwarf_discriminant one[2], minus;
	struct dwarf_variant variants[3];
	struct dwarf_variant_part part;
};

static void
make_variants(struct variants *v, bool is_signed)
{
	static const char *const names[] = {"One", "Minus", "Rest"};

	memset(v, 0, sizeof(*v));
	v->number = base_type("i8", is_signed ? ATE_INT : ATE_UINT, 1);
	v->field = (struct dwarf_member){
	    .name = "__0", .type = &v->number, .offset = 2};
	v->payload = (struct dwarf_type){.kind = DWARF_TYPE_STRUCT,
	    .name = "payload",
	    .size = 4,
	    .has_size = true,
	    .completed = true,
	    .n_members = 1,
	    .members = &v->field};
	v->one[0] = between(1, 1);
	v->one[1] = between(5, 9);
	v->minus = between(-2, -2);
	for (int i = 0; i < 3; i++) {
		v->members[i] = (struct dwarf_member){
		    .name = names[i], .type = &v->payload};
		v->variants[i].n_members = 1;
		v->variants[i].members = &v->members[i];
	}
	v->variants[0].n_ranges = 2;
	v->variants[0].ranges = v->one;
	v->variants[1].n_ranges = 1;
	v->variants[1].ranges = &v->minus;
	v->variants[2].is_default = true;
	v->part = (struct dwarf_variant_part){.has_discriminant = true,
	    .is_signed = is_signed,
	    .discriminant = {.type = &v->number},
	    .n_variants = 3,
	    .variants = v->variants};
	v->object = v->payload;
	v->object.name = "object";
	v->object.n_members = 0;
	v->object.variants = &v->part;
}

TEST(active_variants)
{
	static const struct {
		bool is_signed;
		uint8_t discriminant;
		const char *want;
	} rows[] = {
	    {false, 1, "One"},
	    {false, 5, "One"},
	    {false, 7, "One"},
	    {false, 9, "One"},
	    {false, 10, "Rest"},
	    {false, 4, "Rest"},
	    {false, 0xfe, "Minus"}, /* the same byte */
	    {true, 0xfe, "Minus"},
	    {true, 0xff, "Rest"},
	    {true, 6, "One"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[4] = {rows[i].discriminant, 0xaa, 42, 0xbb};
		struct snap_variable v;
		struct variants t;
		struct fixture f;

		set_up(&f, NULL);
		make_variants(&t, rows[i].is_signed);
		v = read_bytes(&f, &t.object, bytes, 4, NULL);
		expect_int(v.kind, SNAP_STRUCT);
		expect_text(&v, rows[i].want, strlen(rows[i].want));
		assert_int(v.n_children, 1);
		expect_str(v.children[0].name, rows[i].want);
		assert_int(v.children[0].n_children, 1);
		expect_str(v.children[0].children[0].name, "__0");
		expect_int(v.children[0].children[0].value.i, 42);
		tear_down(&f);
	}
}

/* No default: an unknown discriminant is said. One that is not there: why. */
TEST(no_active_variant)
{
	const uint8_t gone[4] = {BYTE_OPTIMIZED_OUT, 0, 0, 0};
	uint8_t bytes[4] = {77, 0, 42, 0};
	struct snap_variable v;
	struct variants t;
	struct fixture f;

	set_up(&f, NULL);
	make_variants(&t, false);
	v = read_bytes(&f, &t.object, bytes, 4, gone);
	expect_int(v.kind, SNAP_UNAVAILABLE);
	expect_str(v.reason, "optimized out");
	tear_down(&f);

	set_up(&f, NULL);
	make_variants(&t, false);
	t.part.n_variants = 2;
	v = read_bytes(&f, &t.object, bytes, 4, NULL);
	expect_int(v.kind, SNAP_UNAVAILABLE);
	expect_str(v.reason, "no variant has the discriminant 0x4d");
	tear_down(&f);

	/* One variant and nothing to tell it by. */
	set_up(&f, NULL);
	make_variants(&t, false);
	t.part.has_discriminant = false;
	t.part.n_variants = 1;
	v = read_bytes(&f, &t.object, bytes, 4, gone);
	expect_text(&v, "One", 3);
	tear_down(&f);
}

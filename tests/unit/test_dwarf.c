/* SPDX-License-Identifier: MIT */
/*
 * What plans, types, call sites and globals say of small programs, where GDB
 * has no interface to compare with (call sites, locations, laziness), and how
 * the reader behaves without memory, without steps and without sections.
 */
#include "dwarf_fixture.h"

static void
open_scopes(struct subject *s, const char *compiler, const char *flags)
{
	if (!compile(test_path("program"), compiler, flags, "scopes.c"))
		skip("no %s", compiler);
	open_subject(s, test_path("program"));
}

TEST(no_debug_info_is_not_found)
{
	struct image *image;
	struct dwarf *d;
	bt_error_t e;

	if (!compile(test_path("program"), "gcc", "-g0", "lto_other.c -c"))
		skip("no gcc");
	image = must_open(test_path("program"));
	expect_code(dwarf_open(image, NULL, &d, &e), &e, BT_E_NOTFOUND);
	expect_null(d);
	dwarf_close(NULL);
	image_unref(image);
}

TEST(an_address_without_code_has_an_empty_plan)
{
	static const uint64_t nowhere[] = {0, 1, 0x10, UINT64_MAX, 1ull << 47};
	struct subject s;

	open_scopes(&s, "gcc", "-g -O1");
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		const struct dwarf_plan *p = dwarf_plan_at(
		    s.dwarf, nowhere[i], true);

		assert_not_null(p);
		expect_uint(p->n_scopes, 0);
		expect_null(p->path);
		expect_null(p->unit);
	}
	expect_null(dwarf_call_site_at(s.dwarf, 0));
	expect_null(dwarf_call_site_at(s.dwarf, 5));
	close_subject(&s);
}

/* Builds p of three files, the middle one as told. */
static void
make_units(const char *flags, const char *middle)
{
	static const char first[] = "int middle(int); int last(int);\n"
				    "int main(int n, char **v)\n"
				    "{ return middle(n) + last(n); }\n";
	static const char second[] =
	    "int middle(int n) { return n * 3 + 1; }\n";
	static const char third[] = "int last(int n) { return n * 5 + 1; }\n";

	test_write_file(test_path("a.c"), first, sizeof(first) - 1);
	test_write_file(test_path("b.c"), second, sizeof(second) - 1);
	test_write_file(test_path("c.c"), third, sizeof(third) - 1);
	assert_int(test_shell("cd %s && gcc -g -O1 -w %s -c a.c c.c && "
			      "%s -g -O1 -c b.c -o b.o && "
			      "gcc -g -O1 %s -o p a.o b.o c.o",
		       test_dir(), flags, middle, flags),
	    0);
}

/* What _start is in, is asked of the tables of addresses only, as long as each
 * unit with code has one. */
TEST(code_without_a_unit)
{
	static const struct {
		const char *flags, *middle;
		bool complete;
	} cases[] = {
	    {"", "gcc", true},
	    {"-gdwarf-4", "gcc -gdwarf-4", true},
	    {"-gz", "gcc -gz", true},
	    {"-flto", "gcc -flto", true},
	    {"", "clang", false},
	    {"-flto", "clang", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct dwarf_plan *plan;
		struct subject s;

		make_units(cases[i].flags, cases[i].middle);
		open_subject(&s, test_path("p"));
		plan = dwarf_plan_at(s.dwarf, address_of(&s, "_start"), false);
		assert_not_null(plan);
		expect_uint(plan->n_scopes, 0);
		expect_true(s.dwarf->addresses_ready == !cases[i].complete);
		plan = dwarf_plan_at(s.dwarf, address_of(&s, "main"), false);
		assert_not_null(plan);
		expect_uint(plan->n_scopes, 1);
		close_subject(&s);
	}
}

/* A unit without a table, among others, is found. */
TEST(code_of_two_compilers)
{
	const struct dwarf_plan *plan;
	struct subject s;

	make_units("", "clang");
	open_subject(&s, test_path("p"));
	plan = dwarf_plan_at(s.dwarf, address_of(&s, "middle"), false);
	assert_not_null(plan);
	assert_uint(plan->n_scopes, 1);
	expect_str(plan->scopes[0].name, "middle");
	close_subject(&s);
}

TEST(a_plan_is_made_once)
{
	struct subject s;
	const struct dwarf_plan *bare, *full;
	uint64_t dies;

	open_scopes(&s, "gcc", "-g -O1");
	bare = dwarf_plan_at(s.dwarf, address_of(&s, "rec") + 8, false);
	assert_uint(bare->n_scopes, 1);
	expect_str(bare->scopes[0].name, "rec");
	expect_uint(bare->scopes[0].n_variables, 0);
	full = dwarf_plan_at(s.dwarf, address_of(&s, "rec") + 8, true);
	expect_true(full == bare);
	expect_not_null(variable_named(&full->scopes[0], "n"));
	dies = dwarf_stats(s.dwarf)->dies;
	expect_true(
	    dwarf_plan_at(s.dwarf, address_of(&s, "rec") + 8, true) == full);
	expect_true(
	    dwarf_plan_at(s.dwarf, address_of(&s, "rec") + 8, false) == full);
	expect_uint(dwarf_stats(s.dwarf)->dies, dies);
	expect_uint(dwarf_stats(s.dwarf)->plans, 1);
	close_subject(&s);
}

TEST(a_scope_knows_its_function)
{
	struct subject s;
	const struct dwarf_scope *scope;
	struct view block;
	bt_error_t e;

	open_scopes(&s, "gcc", "-g -O0");
	scope =
	    &dwarf_plan_at(s.dwarf, address_of(&s, "mix") + 8, true)->scopes[0];
	expect_uint(scope->low_pc, address_of(&s, "mix"));
	expect_true(scope->decl_line > 0);
	expect_true(scope->line >= scope->decl_line);
	expect_false(scope->noreturn);
	expect_int(scope->frame_base.kind, DWARF_LOC_EXPR);
	assert_ok(dwarf_location_at(&scope->frame_base, 0, &block, &e), &e);
	expect_true(block.size == 1); /* DW_OP_call_frame_cfa */
	expect_uint(dwarf_die_tag(scope->die), DW_TAG_subprogram);
	expect_uint(dwarf_unit_address_size(scope->die.unit), 8);
	expect_uint(dwarf_unit_offset_size(scope->die.unit), 4);
	expect_uint(dwarf_unit_version(scope->die.unit), 5);
	expect_contains(dwarf_unit_name(scope->die.unit), "scopes.c");
	expect_true(dwarf_unit_dwarf(scope->die.unit) == s.dwarf);
	close_subject(&s);
}

TEST(types_tell_their_parts)
{
	struct subject s;
	const struct dwarf_type *t;

	open_scopes(&s, "gcc", "-g -O0");
	t = type_of_local(&s, "mix", "nd");
	expect_str(t->name, "const struct node * restrict");
	expect_int(t->kind, DWARF_TYPE_RESTRICT);
	t = dwarf_type_strip(t);
	expect_int(t->kind, DWARF_TYPE_POINTER);
	expect_uint(t->size, 8);
	t = dwarf_type_complete(s.dwarf, dwarf_type_strip(t->target));
	expect_int(t->kind, DWARF_TYPE_STRUCT);
	assert_true(t->n_members >= 7);
	expect_str(t->members[2].name, "a");
	expect_uint(t->members[2].bit_size, 3);
	expect_uint(t->members[3].bit_offset, t->members[2].bit_offset + 3);
	expect_null(t->members[6].name);
	expect_int(t->members[6].type->kind, DWARF_TYPE_UNION);
	t = type_of_local(&s, "mix", "c");
	t = dwarf_type_complete(s.dwarf, t);
	expect_int(t->kind, DWARF_TYPE_ENUM);
	expect_uint(t->n_enumerators, 3);
	expect_str(t->enumerators[1].name, "GREEN");
	expect_int(t->enumerators[1].value, 5);
	expect_false(t->is_flag_enum); /* 5 has a hole */
	t = type_of_local(&s, "mix", "v");
	t = dwarf_type_strip(t);
	expect_true(t->is_vector);
	expect_uint(t->size, 16);
	t = type_of_local(&s, "mix", "pa");
	expect_str(t->name, "int (*)[4]");
	expect_uint(t->target->n_bounds, 1);
	expect_uint(t->target->bounds[0].count, 4);
	expect_uint(t->target->size, 16);
	t = type_of_local(&s, "mix", "b");
	expect_uint(t->encoding, DW_ATE_boolean);
	t = type_of_local(&s, "mix", "z");
	expect_uint(t->encoding, DW_ATE_complex_float);
	t = type_of_local(&s, "vla", "a");
	expect_int(t->bounds[0].kind, DWARF_BOUND_DYNAMIC);
	expect_false(t->has_size);
	t = type_of_local(&s, "vla", "m");
	expect_uint(t->n_bounds, 2);
	close_subject(&s);
}

/* The same array bound as GCC and clang say it: an expression, a variable. */
TEST(dynamic_bounds_lead_somewhere)
{
	static const char *const compilers[] = {"gcc", "clang"};

	for (size_t i = 0; i < 2; i++) {
		const struct dwarf_bound *b;
		struct dwarf_location l;
		struct subject s;

		if (!compile(test_path("program"), compilers[i], "-g -O0",
			"scopes.c"))
			continue;
		open_subject(&s, test_path("program"));
		b = type_of_local(&s, "vla", "a")->bounds;
		expect_int(b->kind, DWARF_BOUND_DYNAMIC);
		if (b->die.unit != NULL)
			expect_true(dwarf_die_location(b->die, &l));
		else
			expect_int(b->location.kind, DWARF_LOC_EXPR);
		close_subject(&s);
	}
}

TEST(declarations_find_their_definitions)
{
	struct subject s;
	const struct dwarf_type *t, *defined;

	if (!compile(test_path("program"), "gcc", "-g -O0",
		"lto_main.c lto_other.c"))
		skip("no gcc");
	open_subject(&s, test_path("program"));
	/* "other" is defined beside the struct, "inl" knows only its name. */
	t = type_of_local(&s, "inl", "p");
	expect_str(t->name, "struct fwd *");
	expect_true(t->target->declaration);
	defined = dwarf_type_complete(s.dwarf, t->target);
	expect_false(defined->declaration);
	expect_uint(defined->n_members, 3);
	expect_true(dwarf_type_complete(s.dwarf, t->target) == defined);
	expect_true(dwarf_type_named(s.dwarf, "struct fwd") == defined);
	expect_true(dwarf_type_named(s.dwarf, "fwd") == defined);
	expect_null(dwarf_type_named(s.dwarf, "struct nowhere"));
	t = type_of_local(&s, "inl", "nothing");
	expect_true(t->target->declaration);
	expect_true(dwarf_type_complete(s.dwarf, t->target) == t->target);
	close_subject(&s);
}

TEST(globals_are_found_by_name)
{
	struct dwarf_variable v;
	struct subject s;

	if (!compile(test_path("program"), "g++", "-g -O0", "names.cc"))
		skip("no g++");
	open_subject(&s, test_path("program"));
	assert_true(dwarf_global(s.dwarf, "ns::inner::Derived::s", NULL, &v));
	expect_str(v.name, "s");
	expect_str(v.type->name, "int");
	expect_int(v.location.kind, DWARF_LOC_EXPR);
	expect_true(dwarf_global(s.dwarf, "_ZN2ns5inner7Derived1sE", NULL, &v));
	expect_true(
	    dwarf_global(s.dwarf, "ns::inner::Derived::s", "names", &v));
	expect_false(
	    dwarf_global(s.dwarf, "ns::inner::Derived::s", "other.c", &v));
	expect_false(dwarf_global(s.dwarf, "nothing", NULL, &v));
	close_subject(&s);
}

static void
check_call_sites(const char *compiler, const char *flags)
{
	const struct dwarf_call_site *const *tails;
	const struct dwarf_call_site *site;
	struct subject s;
	char *returns, *p;
	size_t n = 0, parameters = 0;

	if (!compile(test_path("program"), compiler, flags, "scopes.c"))
		return;
	open_subject(&s, test_path("program"));
	returns = output_of("objdump -d --no-show-raw-insn %s | awk '"
			    "c{sub(\":\",\"\",$1); print $1; c=0}"
			    "/call.*<(vla|va|rec|cold)>/{c=1}'",
	    test_path("program"));
	for (p = returns; *p != '\0'; p++) {
		site = dwarf_call_site_at(s.dwarf, strtoull(p, &p, 16));
		if (site == NULL) {
			test_fail(
			    TEST_SOFT, "%s %s: no call site", compiler, flags);
			break;
		}
		n++;
		parameters += site->n_parameters;
		expect_not_null(site->target_name);
		expect_uint(
		    site->target_low_pc, address_of(&s, site->target_name));
	}
	expect_true(n >= 3);
	expect_true(parameters >= 3);
	expect_uint(dwarf_tail_calls(s.dwarf, address_of(&s, "tail"), &tails),
	    strstr(flags, "-O2") != NULL);
	if (strstr(flags, "-O2") != NULL) {
		expect_true(tails[0]->tail_call);
		expect_str(tails[0]->target_name, "cold");
	}
	free(returns);
	close_subject(&s);
}

TEST(call_sites_by_return_address)
{
	need_tool("objdump");
	check_call_sites("gcc", "-g -O2 -fno-inline");
	check_call_sites("gcc", "-O2 -gdwarf-4 -fno-inline");
	check_call_sites("gcc", "-g -O1 -fno-inline");
	check_call_sites("clang", "-g -O2 -fno-inline");
}

TEST(a_spent_budget_gives_absent_answers)
{
	if (!compile(test_path("program"), "gcc", "-g -O2", "scopes.c"))
		skip("no gcc");
	for (uint64_t steps = 0; steps < 3000; steps += 1 + steps / 5) {
		const struct dwarf_plan *plan;
		struct dwarf_variable v;
		struct budget budget;
		struct subject s;

		budget_init(&budget, steps, 0);
		open_with_budget(&s, test_path("program"), &budget);
		plan = dwarf_plan_at(s.dwarf, address_of(&s, "vla") + 4, true);
		assert_not_null(plan);
		for (unsigned i = 0; i < plan->n_scopes; i++) {
			for (unsigned k = 0; k < plan->scopes[i].n_variables;
			     k++)
				expect_not_null(
				    plan->scopes[i].variables[k].type->name);
		}
		(void)dwarf_global(s.dwarf, "counter", NULL, &v);
		(void)dwarf_call_site_at(s.dwarf, address_of(&s, "main") + 20);
		close_subject(&s);
	}
}

/* Every allocation in turn is refused: nothing breaks, nothing leaks. */
TEST(without_memory_answers_are_absent)
{
	struct image *image;
	uint64_t pc;
	struct subject s;
	bool refused = true;

	if (!compile(test_path("program"), "gcc", "-g -O2", "scopes.c"))
		skip("no gcc");
	open_subject(&s, test_path("program"));
	pc = address_of(&s, "vla") + 4;
	close_subject(&s);
	image = must_open(test_path("program"));
	for (size_t n = 0; refused && n < 400; n++) {
		const struct dwarf_call_site *const *tails;
		struct dwarf_variable v;
		struct dwarf *d;
		bt_error_t e;

		test_alloc_allow(n);
		if (dwarf_open(image, NULL, &d, &e)) {
			(void)dwarf_plan_at(d, pc, true);
			(void)dwarf_tail_calls(d, pc, &tails);
			(void)dwarf_global(d, "counter", NULL, &v);
			(void)dwarf_type_named(d, "struct node");
			dwarf_close(d);
		}
		refused = test_alloc_restore();
	}
	expect_false(refused);
	image_unref(image);
}

/* SPDX-License-Identifier: MIT */
/*
 * A module that uses every name of the original's C interface, and the events
 * and builders that mirror the Lua interface, on crash.c. What is not as it
 * should be is logged with the word FAIL.
 */
#include <stdio.h>

#include <bt.h>
#include <ptrace/pmodule.h>

static void unload(pmodule_t *pm);

/* As in the original's example, before load is defined. */
PMODULE_DEFINE("every", load, unload, NULL);

static pmodule_t *self;
static char order[16];
static bool dispatched;
static unsigned locals; /* sum of the indices of their frames */
static unsigned frames, threads;

#define CHECK(WHAT)                                                            \
	do {                                                                   \
		if (!(WHAT))                                                   \
			pmodule_log(self, PMODULE_LOG_ERROR, "FAIL %d: %s",    \
			    __LINE__, #WHAT);                                  \
	} while (0)

static void
event(char letter)
{
	size_t n = strlen(order);

	if (n + 1 < sizeof(order) && (n == 0 || order[n - 1] != letter))
		order[n] = letter;
}

static void
check_members(bt_variable_t *raw)
{
	bt_variable_t *who = bt_variable_member_value_get(raw, "who");
	bt_variable_t *deeper = bt_variable_member_value_get(raw, "deeper");
	bt_variable_t *v = bt_variable_member_value_get(deeper, "v");
	bt_variable_t *low = bt_variable_member_value_get(raw, "low");
	bt_variable_t *high = bt_variable_member_value_get(raw, "high");
	bt_variable_t *hidden = bt_variable_member_value_get(raw, "hidden");
	bt_variable_t *negative = bt_variable_member_value_get(raw, "negative");
	bt_variable_t *text = bt_variable_member_value_get(raw, "text");
	bt_variable_t *load_ = bt_variable_member_value_get(raw, "load");
	bt_variable_t target;
	bt_error_t e;
	char buffer[32];

	CHECK(bt_variable_member_value_get(raw, "nobody") == NULL);
	CHECK(bt_variable_ull(v) == 2);
	CHECK(bt_variable_ull(low) == 5 && bt_variable_ull(high) == 17);
	CHECK(bt_variable_ull(hidden) == 9);
	CHECK(bt_variable_ll(negative) == -3);
	CHECK(bt_variable_ull(load_) == 0); /* no integer */
	CHECK(bt_variable_strncpy(buffer, who, sizeof(buffer)) == 6);
	CHECK(strcmp(buffer, "global") == 0);
	CHECK(bt_variable_deref(&target, who, &e));
	CHECK(bt_variable_value(&target));
	CHECK(bt_variable_strncpy(buffer, &target, 4) == 3);
	CHECK(strcmp(buffer, "glo") == 0);
	bt_variable_deinit(&target);
	CHECK(bt_variable_strncpy(buffer, text, sizeof(buffer)) == 5);
	CHECK(bt_variable_strncpy(buffer, v, sizeof(buffer)) == -1);
	CHECK(bt_variable_deref(&target, v, &e) == false);
	CHECK(strstr(e.text, "no pointer") != NULL);
	bt_variable_deinit(who);
	bt_variable_deinit(deeper);
	bt_variable_deinit(v);
	bt_variable_deinit(low);
	bt_variable_deinit(high);
	bt_variable_deinit(hidden);
	bt_variable_deinit(negative);
	bt_variable_deinit(text);
	bt_variable_deinit(load_);
	bt_variable_deinit(NULL);
}

/* What a view shows of each kind of value. */
static void
check_view(ptrace_backtrace_t *bt, bt_variable_t *raw, const char *member,
    enum ptrace_variable_type type, const char *symbol)
{
	bt_variable_t *v = bt_variable_member_value_get(raw, member);
	ptrace_variable_t *view = pmodule_variable_from_bt(bt, v);
	const char *text;
	bt_addr_t at = 0, place = 0;
	uint64_t wanted = 0, number = 0;
	double re = 0, im = 0;

	CHECK(view != NULL && ptrace_variable_type(view) == type);
	CHECK(strcmp(ptrace_variable_name(view), member) == 0);
	CHECK(ptrace_variable_resolved(view));
	CHECK(ptrace_variable_address(view, &at) && at != 0);
	CHECK(bt_variable_address(v, &place) && place == at);
	CHECK(pmodule_variable_set_ll(view, 1) == false); /* read-only */
	CHECK(ptrace_variable_is_string(view) ==
	    (type == PTRACE_TYPE_STRING || strcmp(member, "who") == 0));
	text = ptrace_variable_symbol(view);
	CHECK((text != NULL) == (symbol != NULL));
	CHECK(symbol == NULL || (text != NULL && strcmp(text, symbol) == 0));
	if (bt_variable_number(v, &wanted, NULL))
		CHECK(ptrace_variable_ull(view, &number) && number == wanted);
	if (type == PTRACE_TYPE_DBL || type == PTRACE_TYPE_CDBL) {
		CHECK(ptrace_variable_dbl(view, &re, &im));
		CHECK(re == (type == PTRACE_TYPE_DBL ? 2.5 : 1));
		CHECK(im == (type == PTRACE_TYPE_DBL ? 0 : 2));
	}
	pmodule_variable_release(view);
	bt_variable_deinit(v);
}

static void
check_views(ptrace_backtrace_t *bt, bt_variable_t *raw)
{
	bt_variable_t *list = bt_variable_member_value_get(raw, "list");
	ptrace_variable_t *view = pmodule_variable_from_bt(bt, list);
	uint64_t number = 1;
	bt_error_t e;

	CHECK(bt_variable_number(list, &number, &e) && number > 4096);
	check_view(bt, raw, "id", PTRACE_TYPE_LL, NULL);
	check_view(bt, raw, "big", PTRACE_TYPE_ULL, NULL);
	check_view(bt, raw, "load", PTRACE_TYPE_DBL, NULL);
	check_view(bt, raw, "who", PTRACE_TYPE_REFERENCE, "global");
	check_view(bt, raw, "text", PTRACE_TYPE_STRING, "short");
	check_view(bt, raw, "color", PTRACE_TYPE_ENUM, "GREEN");
	check_view(bt, raw, "in", PTRACE_TYPE_TUPLE, NULL);
	check_view(bt, raw, "numbers", PTRACE_TYPE_ARRAY, NULL);
	check_view(bt, raw, "fn", PTRACE_TYPE_FN, "helper");
	check_view(bt, raw, "wave", PTRACE_TYPE_CDBL, NULL);
	check_view(bt, raw, "list", PTRACE_TYPE_REFERENCE, "two");
	check_view(bt, raw, "deep", PTRACE_TYPE_REFERENCE, "p_two");
	CHECK(strcmp(ptrace_variable_type_name(view), "struct(nested) *") == 0);
	CHECK(strcmp(ptrace_variable_base_type(view), "nested") == 0);
	CHECK(ptrace_variable_backtrace(view) == bt);
	pmodule_variable_release(view);
	CHECK(bt_variable_number(raw, &number, &e) == false);
	CHECK(e.code != BT_OK && e.text[0] != '\0');
	bt_variable_deinit(list);
}

static void
check_types(bt_variable_t *raw)
{
	bt_variable_t *deeper = bt_variable_member_value_get(raw, "deeper");
	struct bt_type *type = bt_variable_bt_type(raw), *base;

	CHECK(type == raw->type && type->die != NULL);
	CHECK(strcmp(type->name, "struct crash_item") == 0);
	CHECK(strcmp(bt_type_pp(type, BT_TYPE_LANG_C), "struct(crash_item)") ==
	    0);
	base = bt_type_base(bt_variable_bt_type(deeper));
	CHECK(strcmp(bt_type_pp(base, BT_TYPE_LANG_C), "struct(nested)") == 0);
	CHECK(bt_variable_sizeof(deeper) == 8);
	CHECK(bt_type_target(type) == NULL);
	CHECK(bt_type_target(deeper->type) != NULL);
	bt_variable_deinit(deeper);
}

static void
check_cpp(void)
{
	static const struct {
		const char *name;
		unsigned n;
		const char *want; /* NULL: none */
	} table[] = {
	    {"box<int>", 0, "int"},
	    {"box<int>", 1, NULL},
	    {"map<int, std::vector<char, alloc<char> > >", 1,
		"std::vector<char, alloc<char> >"},
	    {"ns::outer<int>::inner<a, b>", 1, "b"},
	    {"f<void (*)(int, char), x>", 0, "void (*)(int, char)"},
	    {"f<void (*)(int, char), x>", 1, "x"},
	    {"plain", 0, NULL},
	    {"broken<int", 0, NULL},
	    {"", 0, NULL},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char *out = NULL;
		bool found = pmodule_cpp_template_nth_argument(
		    &out, table[i].name, table[i].n);

		CHECK(found == (table[i].want != NULL));
		if (found && strcmp(out, table[i].want) != 0)
			pmodule_log(self, PMODULE_LOG_ERROR, "FAIL %s: %s",
			    table[i].name, out);
		free(out);
	}
}

static void
synthesize(ptrace_variable_t *v, bt_variable_t *raw)
{
	struct bt_type *type = pmodule_cpp_get_bt_type_from_name(
	    raw->dwarf, "nested");
	bt_variable_t *list = bt_variable_member_value_get(raw, "list");
	bt_variable_t node;
	ptrace_variable_t *added;
	char *text = malloc(32);

	CHECK(type != NULL);
	CHECK(pmodule_cpp_get_bt_type_from_name(raw->dwarf, "none") == NULL);
	CHECK(
	    bt_variable_type_deref_at(&node, raw, type, bt_variable_ull(list)));
	CHECK(bt_variable_value(&node));
	added = pmodule_ptrace_variable_create(
	    v, pmodule_variable_depth(v) + 1, -1);
	CHECK(added != NULL && pmodule_variable_depth(added) == 1);
	node.name = "CustomName";
	CHECK(pmodule_variable_value(added, &node, true));
	CHECK(
	    pmodule_frame_add_variable(pmodule_variable_frame(v), added, true));
	CHECK(pmodule_frame_add_variable(
		  pmodule_variable_frame(v), added, true) == false);
	pmodule_variable_dispatch(added, &node);
	pmodule_variable_state_set(
	    v, pmodule_variable_state(v) | PTRACE_VARIABLE_S_SKIP);
	strcpy(text, "item(7)");
	CHECK(pmodule_variable_set_string(v, text));
	bt_variable_deinit(list);
}

static void
on_variable(ptrace_variable_t *v, bt_variable_t *raw)
{
	ptrace_variable_t *orphan, *member;

	event('v');
	if (strcmp(ptrace_variable_base_type(v), "nested") == 0) {
		dispatched |= strcmp(ptrace_variable_name(v), "CustomName") ==
		    0;
		return;
	}
	if (strcmp(ptrace_variable_name(v), "local") != 0)
		return;
	locals += ptrace_frame_index(pmodule_variable_frame(v));
	if (ptrace_frame_index(pmodule_variable_frame(v)) != 0)
		return;
	CHECK(pmodule_variable_depth(v) == 0);
	CHECK(pmodule_variable_state(v) == 0);
	CHECK(ptrace_variable_n_members(v) == 18);
	member = ptrace_variable_member(v, 3);
	CHECK(strcmp(ptrace_variable_name(member), "load") == 0);
	CHECK(ptrace_variable_owner(member) == v);
	CHECK(ptrace_variable_member(v, 18) == NULL);
	CHECK(ptrace_variable_thread(v) ==
	    ptrace_backtrace_fault_thread(ptrace_variable_backtrace(v)));
	check_views(ptrace_variable_backtrace(v), raw);
	check_members(raw);
	check_types(raw);
	synthesize(v, raw);
	CHECK(pmodule_variable_state(v) == PTRACE_VARIABLE_S_SKIP);
	CHECK(pmodule_variable_annotate(v, PAT_COMMENT, "seen by every"));
	orphan = pmodule_variable_create("int", "never added", 0, -1, v);
	CHECK(pmodule_variable_set_ll(orphan, -1));
}

static void
on_frame(ptrace_frame_t *f)
{
	ptrace_thread_t *t = ptrace_frame_thread(f);
	ptrace_backtrace_t *bt = ptrace_thread_backtrace(t);
	uint64_t sp = 0;
	const char *name;

	event('f');
	CHECK(ptrace_frame_fault(f));
	CHECK(strcmp(ptrace_frame_symbol(f), "recurse") == 0);
	CHECK(strcmp(ptrace_frame_object(f), "crash") == 0);
	CHECK(ptrace_frame_line(f) > ptrace_frame_decl_line(f));
	CHECK(ptrace_frame_decl_line(f) > 0);
	CHECK(ptrace_frame_stack_pointer(f, &sp) && sp % 8 == 0);
	CHECK(ptrace_frame_inline(f) == false);
	CHECK(ptrace_frame_signal(f) == false);
	name = pmodule_address_symbol(bt, ptrace_frame_ip(f));
	CHECK(name != NULL && strncmp(name, "recurse+", 8) == 0);
	CHECK(pmodule_frame_annotate(f, PAT_WARNING, "frame %d", 0));
	for (uint32_t i = 0; i < 3; i++) {
		static const char *const names[] = {"pointer", "n", "name"};
		ptrace_variable_t *v = ptrace_frame_variable(f, i);

		CHECK(ptrace_variable_fprm_offset(v) == (int)i);
		CHECK(strcmp(ptrace_variable_name(v), names[i]) == 0);
	}
	CHECK(ptrace_variable_fprm_offset(ptrace_frame_variable(f, 3)) == -1);
}

static void
on_any_frame(ptrace_frame_t *f)
{

	(void)f;
	frames++;
}

static void
on_any_thread(ptrace_thread_t *t)
{

	(void)t;
	threads++;
}

/* Wanted by all criteria of a match: counted, by what the name says. */
static unsigned typed, named, called, absent;

static void
on_typed(ptrace_variable_t *v, bt_variable_t *raw)
{

	(void)raw;
	CHECK(strcmp(ptrace_variable_base_type(v), "crash_item") == 0);
	typed++;
}

static void
on_named(ptrace_variable_t *v, bt_variable_t *raw)
{

	(void)raw;
	CHECK(strcmp(ptrace_variable_name(v), "n") == 0);
	named++;
}

static void
on_called(ptrace_frame_t *f)
{

	CHECK(strcmp(ptrace_frame_symbol(f), "main") == 0);
	called++;
}

static void
on_absent(ptrace_frame_t *f)
{

	(void)f;
	absent++;
}

static void
on_thread(ptrace_thread_t *t)
{

	event('t');
	CHECK(ptrace_thread_fault(t) && ptrace_thread_n_kframes(t) == 0);
	CHECK(ptrace_thread_frames_skipped(t) == 0);
	CHECK(ptrace_thread_n_frames(t) == frames);
	CHECK((int32_t)ptrace_thread_tid(t) ==
	    ptrace_backtrace_pid(ptrace_thread_backtrace(t)));
	CHECK(pmodule_thread_set_name(t, "renamed"));
	CHECK(pmodule_thread_annotate(t, PAT_COMMENT, "thread %d", 1));
}

static void
on_preattach(ptrace_backtrace_t *bt)
{

	event('P');
	CHECK(ptrace_backtrace_n_threads(bt) == 0);
}

static void
on_attach(ptrace_backtrace_t *bt)
{
	bt_variable_t *v = pmodule_bt_query(bt, "item", "crash", "crash.c");
	bt_variable_t *id = v != NULL ? bt_variable_member_value_get(v, "id")
				      : NULL;

	event('a');
	CHECK(id != NULL && bt_variable_ull(id) == 7);
	CHECK(pmodule_bt_query(bt, "item", "libc", NULL) == NULL);
	CHECK(pmodule_bt_query(bt, "item", NULL, "other.c") == NULL);
	CHECK(pmodule_bt_query(bt, "nobody", NULL, NULL) == NULL);
	CHECK(pmodule_current(bt) == self && pmodule_user(self) == order);
	bt_variable_deinit(id);
	bt_variable_deinit(v);
}

static bool
count(void *ctx, bt_variable_t *v, const char *object, const char *cu)
{

	CHECK(strcmp(object, "crash") == 0 && strstr(cu, "crash.c") != NULL);
	CHECK(v->name[0] != '\0');
	++*(int *)ctx;
	return true;
}

static void
check_reading(ptrace_backtrace_t *bt)
{
	bt_addr_t address = 0, start = 0;
	const char *name;
	uint64_t pointer = 0;
	char text[64];

	CHECK(pmodule_symbol_address(bt, "item", "crash", &address));
	CHECK(pmodule_symbol_address(bt, "item", "libc.so", &address) == false);
	name = pmodule_address_symbol(bt, address);
	CHECK(name != NULL && strcmp(name, "item") == 0);
	name = pmodule_address_symbol(bt, address + 4);
	CHECK(name != NULL && strcmp(name, "item+4") == 0);
	CHECK(pmodule_address_symbol(bt, 1) == NULL);
	name = ptrace_target_symbol(
	    ptrace_backtrace_target(bt), address + 4, &start);
	CHECK(name != NULL && strcmp(name, "item") == 0 && start == address);
	CHECK(pmodule_symbol_read_raw(bt, "global_version", NULL, &pointer,
		  sizeof(pointer)) == sizeof(pointer));
	CHECK(
	    pmodule_address_read_string(bt, pointer, text, sizeof(text)) == 6);
	CHECK(strcmp(text, "v1.2.3") == 0);
	CHECK(pmodule_address_read_string(bt, pointer, text, 3) == 2);
	CHECK(pmodule_address_read_string(bt, 1, text, sizeof(text)) == -1);
	CHECK(pmodule_symbol_read_string(
		  bt, "nobody", NULL, text, sizeof(text)) == -1);
	CHECK(pmodule_symbol_read_string(
		  bt, "global_text", "crash", text, sizeof(text)) == 11);
	CHECK(strcmp(text, "in an array") == 0);
	CHECK(pmodule_address_read_raw(bt, 1, text, sizeof(text)) == 0);
	CHECK(pmodule_address_read_raw(bt, pointer, text, 4) == 4);
	CHECK(memcmp(text, "v1.2", 4) == 0);
}

/* A variable of each kind, to be found in the snapshot. */
static ptrace_variable_t *
shown(ptrace_backtrace_t *bt, ptrace_frame_t *f, const char *name)
{
	ptrace_variable_t *v = pmodule_variable_new(bt, "made", name, 0, -1);

	CHECK(v != NULL && pmodule_frame_add_variable(f, v, false));
	CHECK(ptrace_variable_type(v) == PTRACE_TYPE_BOTTOM);
	return v;
}

static void
check_setters(ptrace_backtrace_t *bt, ptrace_frame_t *f)
{

	CHECK(pmodule_variable_set_ll(shown(bt, f, "ll"), -5));
	CHECK(pmodule_variable_set_ull(shown(bt, f, "ull"), UINT64_MAX));
	CHECK(pmodule_variable_set_dbl(shown(bt, f, "dbl"), 0.25));
	CHECK(pmodule_variable_set_cdbl(shown(bt, f, "cdbl"), 1, -1));
	CHECK(pmodule_variable_set_enum(shown(bt, f, "enum"), 2, "TWO"));
	CHECK(pmodule_variable_set_ref(shown(bt, f, "ref"), 4096, "page"));
	CHECK(pmodule_variable_set_function(shown(bt, f, "fn"), "f"));
	CHECK(pmodule_variable_set_text(shown(bt, f, "text"), "a\0b", 3));
	CHECK(pmodule_variable_set_struct(shown(bt, f, "struct")));
	CHECK(pmodule_variable_set_array(shown(bt, f, "array")));
}

/* Pointers to `item`: the parameter in each of four frames. */
static bool
is_parameter(void *ctx, ptrace_variable_t *v)
{

	CHECK(strcmp(ptrace_variable_name(v), "pointer") == 0);
	CHECK(pmodule_variable_frame(v) != NULL);
	return ++*(int *)ctx < 3;
}

static bool
is_nested(void *ctx, ptrace_variable_t *v)
{
	uint64_t value;

	CHECK(strcmp(ptrace_variable_name(v), "list") == 0 ||
	    strcmp(ptrace_variable_name(v), "next") == 0 ||
	    ptrace_variable_owner(v) != NULL ||
	    pmodule_variable_frame(v) == NULL);
	CHECK(ptrace_variable_ull(v, &value));
	++*(int *)ctx;
	return true;
}

static void
check_pointers(ptrace_backtrace_t *bt)
{
	int parameters = 0, lists = 0, none = 0;
	bt_addr_t item, two;

	CHECK(pmodule_symbol_address(bt, "item", NULL, &item));
	ptrace_backtrace_pointers(
	    bt, item, item + 1, is_parameter, &parameters);
	CHECK(parameters == 3); /* it said false then */
	CHECK(pmodule_symbol_address(bt, "two", NULL, &two));
	ptrace_backtrace_pointers(bt, two, two + 1, is_nested, &lists);
	CHECK(lists >= 4); /* of `local` in each frame, at least */
	ptrace_backtrace_pointers(bt, item, item, is_nested, &none);
	CHECK(none == 0);
}

/* What is added from raw variables. */
static void
check_contents(ptrace_backtrace_t *bt, ptrace_frame_t *f)
{
	bt_variable_t *item = pmodule_bt_query(bt, "item", NULL, NULL);
	bt_variable_t *numbers = bt_variable_member_value_get(item, "numbers");
	bt_variable_t *list = bt_variable_member_value_get(item, "list");
	bt_variable_t first, field;
	ptrace_variable_t *v = shown(bt, f, "contents"), *member, *view;
	int64_t number;
	bool is_base = true;

	CHECK(bt_variable_element(&first, numbers, 2, NULL));
	CHECK(bt_variable_ll(&first) == 30);
	CHECK(bt_variable_element(&first, list, 0, NULL));
	CHECK(bt_variable_field(&field, &first, 0, &is_base));
	CHECK(bt_variable_ll(&field) == 2 && is_base == false);
	CHECK(strcmp(field.name, "v") == 0);
	CHECK(bt_variable_field(&field, &first, 2, NULL) == false);
	CHECK(bt_variable_element(&first, item, 0, NULL) == false);
	CHECK(bt_variable_element(&first, numbers, 0, NULL));
	CHECK(pmodule_variable_set_array(v));
	CHECK(pmodule_variable_add_elements(v, &first, 2) == 2);
	CHECK(pmodule_variable_add_elements(v, list, 1) == 1);
	member = pmodule_variable_add_member(v, "named", list);
	CHECK(member != NULL && ptrace_variable_owner(member) == v);
	CHECK(pmodule_variable_set_summary(v, "four of many"));
	CHECK(pmodule_variable_set_length(v, 5));
	CHECK(pmodule_variable_set_bool(shown(bt, f, "bool"), true));
	view = pmodule_variable_from_bt(bt, item);
	CHECK(pmodule_variable_add_member(view, "x", list) == NULL);
	CHECK(pmodule_variable_set_summary(view, "x") == false);
	CHECK(pmodule_variable_set_length(view, 1) == false);
	pmodule_variable_release(view);
	/* In C++ there are some: lua.containers. */
	CHECK(bt_type_template_type(item->type, 0) == NULL);
	CHECK(bt_type_template_value(item->type, 0, &number) == false);
	CHECK(strcmp(pmodule_demangle(bt, "_ZN2ns1fEi"), "ns::f(int)") == 0);
	CHECK(pmodule_demangle(bt, "main") == NULL);
	bt_variable_deinit(list);
	bt_variable_deinit(numbers);
	bt_variable_deinit(item);
}

static void
check_findings(ptrace_backtrace_t *bt, ptrace_thread_t *t)
{
	static const char *const evidence[] = {"an eye witness"};
	pmodule_finding_t finding = PMODULE_FINDING_INIT;
	pmodule_fault_t fault = PMODULE_FAULT_INIT;

	finding.class_name = "every-class";
	finding.confidence = 0.125;
	finding.thread = t;
	finding.text = "every was here";
	finding.evidence = evidence;
	finding.n_evidence = 1;
	CHECK(pmodule_finding_confidence(bt, "every-class") == 0);
	CHECK(pmodule_finding_add(bt, &finding));
	CHECK(pmodule_finding_confidence(bt, "every-class") == 0.125);
	finding.confidence = 2;
	CHECK(pmodule_finding_add(bt, &finding) == false);
	CHECK(strcmp(pmodule_finding_ahead(bt), "null-deref") == 0);
	CHECK(pmodule_finding_note(bt, "a witness of another's"));
	CHECK(pmodule_finding_note(bt, NULL) == false);
	fault.direction = "write";
	fault.operand = pmodule_text(bt, "[r%d]", 9);
	CHECK(pmodule_fault_set(t, &fault));
	CHECK(pmodule_lock_add(bt, "{\"kind\": \"every\"}"));
	CHECK(pmodule_heap_add(bt, "{\"kind\": \"every\"}"));
}

/* The criteria of a match, asked one by one. */
static void
check_fits(ptrace_thread_t *t)
{
	pmodule_match_t *m = pmodule_match_create();
	ptrace_frame_t *f = ptrace_thread_frame(t, 0);
	ptrace_variable_t *v = ptrace_frame_variable(f, 0);

	CHECK(pmodule_match_fits_thread(NULL, t));
	CHECK(pmodule_match_fits_thread(m, NULL) == false);
	CHECK(pmodule_match_add_frame_symbol(m, "main", PMODULE_MATCH_EXACT));
	CHECK(pmodule_match_fits_thread(m, t));
	CHECK(pmodule_match_fits_frame(m, f) == false);
	CHECK(pmodule_match_fits_variable(m, v) == false);
	pmodule_match_reset(m);
	CHECK(
	    pmodule_match_add_frame_symbol(m, "recurse", PMODULE_MATCH_EXACT));
	CHECK(
	    pmodule_match_add_variable_name(m, "pointer", PMODULE_MATCH_EXACT));
	CHECK(pmodule_match_fits_frame(m, f));
	CHECK(pmodule_match_fits_variable(m, v));
	CHECK(pmodule_match_fits_variable(m, ptrace_frame_variable(f, 1)) ==
	    false);
	pmodule_match_destroy(m);
}

static void
check_objects(ptrace_backtrace_t *bt, ptrace_thread_t *t)
{
	ptrace_signal_t signal = PTRACE_SIGNAL_INIT;

	CHECK(ptrace_backtrace_n_threads(bt) == 1 && threads == 1);
	CHECK(ptrace_backtrace_thread(bt, 0) == t);
	CHECK(ptrace_backtrace_thread(bt, 1) == NULL);
	CHECK(strcmp(ptrace_backtrace_application_name(bt), "crash") == 0);
	CHECK(strcmp(ptrace_backtrace_process_state(bt), "unknown") == 0);
	CHECK(strcmp(ptrace_thread_state(t), "unknown") == 0);
	CHECK(ptrace_target_signal(ptrace_backtrace_target(bt), &signal));
	CHECK(signal.number == 11);
	CHECK(strcmp(ptrace_signal_name(11), "SIGSEGV") == 0);
	CHECK(ptrace_signal_name(-1) == NULL);
	CHECK(strcmp(ptrace_signal_code_name(11, 1), "SEGV_MAPERR") == 0);
	CHECK(ptrace_signal_code_name(11, 12345) == NULL);
	check_fits(t);
	CHECK(locals == 0 + 1 + 2 + 3);
	CHECK(typed == 8 && named == 4 && called == 1 && absent == 0);
}

static void
on_postattach(ptrace_backtrace_t *bt)
{
	ptrace_thread_t *t = ptrace_backtrace_fault_thread(bt);
	ptrace_frame_t *f = pmodule_frame_create(bt);
	ptrace_frame_t *beside = pmodule_frame_create(bt);
	int globals = 0, local = 0;

	event('p');
	CHECK(strcmp(order, "Pavftp") == 0);
	CHECK(dispatched);
	check_objects(bt, t);
	check_findings(bt, t);
	check_pointers(bt);
	pmodule_globals_each(
	    bt, NULL, "crash", "crash.c", NULL, count, &globals);
	CHECK(globals >= 8);
	pmodule_globals_each(bt, t, "crash", NULL, NULL, count, &local);
	CHECK(local == 1);
	check_reading(bt);
	check_cpp();
	CHECK(pmodule_frame_set_symbol(f, "made up"));
	CHECK(pmodule_frame_set_object(f, "made.so"));
	CHECK(strcmp(ptrace_frame_object(f), "made.so") == 0);
	CHECK(pmodule_frame_set_path(f, "/a/b.c"));
	CHECK(pmodule_frame_set_basename(f, "c.c"));
	CHECK(strcmp(ptrace_frame_path(f), "/a/c.c") == 0);
	CHECK(pmodule_frame_set_directory(f, "/d"));
	CHECK(strcmp(ptrace_frame_path(f), "/d/c.c") == 0);
	CHECK(pmodule_frame_set_line(f, 3) && ptrace_frame_line(f) == 3);
	CHECK(pmodule_frame_set_decl_line(f, 2));
	CHECK(pmodule_thread_add_frame(t, f, true));
	CHECK(pmodule_thread_add_frame(t, f, true) == false);
	CHECK(ptrace_thread_frame(t, 0) == f);
	CHECK(pmodule_frame_set_symbol(beside, "beside"));
	CHECK(pmodule_frame_add_frame(f, beside, true));
	CHECK(ptrace_thread_frame(t, 1) == beside);
	CHECK(ptrace_thread_n_frames(t) == frames + 2);
	check_setters(bt, f);
	check_contents(bt, f);
	CHECK(pmodule_kv_add_string(
	    bt, "answer", pmodule_config_option(self, "answer")));
	CHECK(pmodule_config_option(self, "nothing") == NULL);
	CHECK(pmodule_constraint_at(bt, 0) != NULL &&
	    strcmp(pmodule_constraint_at(bt, 0)->function, "nobody") == 0 &&
	    strcmp(pmodule_constraint_at(bt, 0)->arguments[0].name, "to") == 0);
	CHECK(pmodule_constraint_at(bt, 1) == NULL);
	CHECK(pmodule_kv_add_int(bt, "every.int", -7));
	CHECK(pmodule_kv_add_address(bt, "every.address", 0x1234));
	CHECK(pmodule_classifier_add(bt, "every"));
	CHECK(pmodule_tag_add(bt, "every"));
	CHECK(pmodule_backtrace_annotate(
	    bt, PAT_JSON, "{\"a\": [1, {\"b\": \"\\u00e9\"}, -1.5e3]}"));
	CHECK(pmodule_backtrace_annotate(bt, PAT_JSON, "{\"a\": }") == false);
	CHECK(pmodule_backtrace_annotate(bt, PAT_JSON, "[1]") == false);
	CHECK(pmodule_backtrace_annotate(bt, PAT_JSON, "{} {}") == false);
	CHECK(pmodule_backtrace_annotate(bt, PAT_JSON, "{\"a\": 1") == false);
	pmodule_log(self, PMODULE_LOG_INFO, "checked");
}

static void
unload(pmodule_t *pm)
{

	(void)pm;
}

static bool
load_constraint(pmodule_t *pm)
{
	pmodule_constraint_t rule = PMODULE_CONSTRAINT_INIT;

	rule.function = "nobody";
	rule.n_arguments = 2;
	rule.arguments[0].name = "to";
	rule.arguments[0].kind = PMODULE_ARGUMENT_WRITE;
	rule.arguments[0].count = 2; /* there is none */
	rule.arguments[1].kind = PMODULE_ARGUMENT_NUMBER;
	rule.arguments[1].count = -1;
	if (pmodule_constraint_add(pm, &rule))
		return false;
	rule.arguments[0].count = 1;
	return pmodule_constraint_add(pm, &rule);
}

static bool
load_matches(pmodule_t *pm, pmodule_match_t *m)
{
	bool done = pmodule_match_add_object(m, "crash", PMODULE_MATCH_EXACT) &&
	    pmodule_match_add_file(m, "crash.c", PMODULE_MATCH_EXACT) &&
	    pmodule_match_add_variable_ptrace_type(m, PTRACE_TYPE_TUPLE) &&
	    pmodule_variable_event_add(pm, m, on_variable);

	/* What is left of it would match nothing. */
	done = done && pmodule_match_add_object(m, "none", PMODULE_MATCH_EXACT);
	pmodule_match_reset(m);
	pmodule_match_set_fault(m, false);
	done = done && pmodule_frame_match_event_add(pm, m, on_frame) &&
	    pmodule_thread_match_event_add(pm, m, on_thread);
	pmodule_match_reset(m);
	done = done &&
	    pmodule_match_add_variable_base_type(
		m, "_item", PMODULE_MATCH_SUBSTR) &&
	    pmodule_match_add_frame_symbol(m, "rec", PMODULE_MATCH_SUBSTR) &&
	    pmodule_variable_event_add(pm, m, on_typed);
	pmodule_match_reset(m);
	done = done &&
	    pmodule_match_add_variable_name(m, "n", PMODULE_MATCH_EXACT) &&
	    pmodule_variable_event_add(pm, m, on_named);
	pmodule_match_reset(m);
	done = done &&
	    pmodule_match_add_frame_symbol(m, "main", PMODULE_MATCH_EXACT) &&
	    pmodule_frame_match_event_add(pm, m, on_called);
	pmodule_match_reset(m);
	done = done &&
	    pmodule_match_add_file(m, "none.c", PMODULE_MATCH_EXACT) &&
	    pmodule_frame_match_event_add(pm, m, on_absent);
	pmodule_match_reset(m);
	return done &&
	    pmodule_match_add_object(m, "none", PMODULE_MATCH_EXACT) &&
	    pmodule_frame_match_event_add(pm, m, on_absent);
}

static bool
load(pmodule_t *pm)
{
	pmodule_match_t *m = pmodule_match_create();
	bool done;

	self = pm;
	pmodule_user_set(pm, order);
	done = m != NULL && load_matches(pm, m) && load_constraint(pm) &&
	    pmodule_frame_event_add(pm, on_any_frame) &&
	    pmodule_thread_event_add(pm, on_any_thread) &&
	    pmodule_preattach_event_add(pm, on_preattach) &&
	    pmodule_attach_event_add(pm, on_attach) &&
	    pmodule_postattach_event_add(pm, on_postattach);
	pmodule_match_destroy(m);
	return done;
}

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
	ptrace_variable_t *orphan;

	event('v');
	if (strcmp(ptrace_variable_base_type(v), "nested") == 0) {
		dispatched |= strcmp(ptrace_variable_name(v), "CustomName") ==
		    0;
		return;
	}
	if (strcmp(ptrace_variable_name(v), "local") != 0 ||
	    ptrace_frame_index(pmodule_variable_frame(v)) != 0)
		return;
	CHECK(pmodule_variable_depth(v) == 0);
	CHECK(pmodule_variable_state(v) == 0);
	check_members(raw);
	check_types(raw);
	synthesize(v, raw);
	CHECK(pmodule_variable_annotate(v, PAT_COMMENT, "seen by every"));
	orphan = pmodule_variable_create("int", "never added", 0, -1, v);
	CHECK(pmodule_variable_set_ll(orphan, -1));
}

static void
on_frame(ptrace_frame_t *f)
{

	event('f');
	CHECK(ptrace_frame_fault(f));
	CHECK(strcmp(ptrace_frame_symbol(f), "recurse") == 0);
	CHECK(ptrace_frame_decl_line(f) > 0);
}

static void
on_thread(ptrace_thread_t *t)
{

	event('t');
	CHECK(ptrace_thread_fault(t) && ptrace_thread_n_kframes(t) == 0);
	CHECK(pmodule_thread_set_name(t, "renamed"));
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
	bt_addr_t address = 0;
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
	CHECK(pmodule_symbol_read_raw(bt, "global_version", NULL, &pointer,
		  sizeof(pointer)) == sizeof(pointer));
	CHECK(
	    pmodule_address_read_string(bt, pointer, text, sizeof(text)) == 6);
	CHECK(strcmp(text, "v1.2.3") == 0);
	CHECK(pmodule_address_read_string(bt, pointer, text, 3) == 2);
	CHECK(pmodule_address_read_string(bt, 1, text, sizeof(text)) == -1);
	CHECK(pmodule_symbol_read_string(
		  bt, "nobody", NULL, text, sizeof(text)) == -1);
	CHECK(pmodule_address_read_raw(bt, 1, text, sizeof(text)) == 0);
}

static void
on_postattach(ptrace_backtrace_t *bt)
{
	ptrace_thread_t *t = ptrace_backtrace_fault_thread(bt);
	ptrace_frame_t *f = pmodule_frame_create(bt);
	int globals = 0, locals = 0;

	event('p');
	CHECK(strcmp(order, "Pavftp") == 0);
	CHECK(dispatched);
	pmodule_globals_each(
	    bt, NULL, "crash", "crash.c", NULL, count, &globals);
	CHECK(globals >= 8);
	pmodule_globals_each(bt, t, "crash", NULL, NULL, count, &locals);
	CHECK(locals == 1);
	check_reading(bt);
	check_cpp();
	CHECK(pmodule_frame_set_symbol(f, "made up"));
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
	CHECK(pmodule_kv_add_string(
	    bt, "answer", pmodule_config_option(self, "answer")));
	CHECK(pmodule_config_option(self, "nothing") == NULL);
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
load(pmodule_t *pm)
{
	pmodule_match_t *m = pmodule_match_create();
	bool done;

	self = pm;
	pmodule_user_set(pm, order);
	done = m != NULL &&
	    pmodule_match_add_object(m, "crash", PMODULE_MATCH_EXACT) &&
	    pmodule_match_add_file(m, "crash.c", PMODULE_MATCH_EXACT) &&
	    pmodule_match_add_variable_ptrace_type(m, PTRACE_TYPE_TUPLE) &&
	    pmodule_variable_event_add(pm, m, on_variable);
	pmodule_match_reset(m);
	pmodule_match_set_fault(m, false);
	done = done && pmodule_frame_match_event_add(pm, m, on_frame) &&
	    pmodule_thread_match_event_add(pm, m, on_thread) &&
	    pmodule_preattach_event_add(pm, on_preattach) &&
	    pmodule_attach_event_add(pm, on_attach) &&
	    pmodule_postattach_event_add(pm, on_postattach);
	pmodule_match_destroy(m);
	return done;
}

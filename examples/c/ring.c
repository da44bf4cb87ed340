/* SPDX-License-Identifier: MIT */
/*
 * A module that shows the ring buffers of jobs.cpp as a person thinks of them:
 * what is in them, oldest first, instead of an array and two counters.
 *
 *	struct job { int id; long deadline; const char *what; };
 *	template <typename T> struct ring {
 *		T *slots;
 *		unsigned head, count, room;
 *		const char *name;
 *	};
 *
 * Its callback gets every variable twice: as the snapshot shows it (v), which
 * it changes, and as the debugger has it (raw), from which it reads.
 */
#include <stdio.h>

#include <bt.h>
#include <ptrace/pmodule.h>

PMODULE_DEFINE("ring", load, NULL, NULL)

/* A crashed program may have any number in its counters. */
enum { ROOM_MAX = 1 << 20, SHOWN_MAX = 64, TEXT_MAX = 128 };

static unsigned long long
member_number(bt_variable_t *raw, const char *name)
{
	bt_variable_t *member = bt_variable_member_value_get(raw, name);
	unsigned long long value = member != NULL ? bt_variable_ull(member) : 0;

	bt_variable_deinit(member); /* NULL is allowed */
	return value;
}

/* The text that a char pointer points to; "?" when it cannot be had. */
static void
member_text(bt_variable_t *raw, const char *name, char *out, size_t size)
{
	bt_variable_t *pointer = bt_variable_member_value_get(raw, name);
	bt_variable_t first;
	bt_error_t e;

	(void)snprintf(out, size, "?");
	if (pointer != NULL && bt_variable_deref(&first, pointer, &e)) {
		if (bt_variable_value(&first) == false ||
		    bt_variable_strncpy(out, &first, size) < 0)
			(void)snprintf(out, size, "?");
		bt_variable_deinit(&first);
	}
	bt_variable_deinit(pointer);
}

/* "job 7 until 1200: compress" */
static void
show_job(ptrace_variable_t *v, bt_variable_t *raw)
{
	bt_variable_t *deadline = bt_variable_member_value_get(raw, "deadline");
	char what[TEXT_MAX], *text;

	member_text(raw, "what", what, sizeof(what));
	if (deadline != NULL &&
	    asprintf(&text, "job %llu until %lld: %s", member_number(raw, "id"),
		bt_variable_ll(deadline), what) >= 0)
		pmodule_variable_set_string(v, text); /* takes the text */
	bt_variable_deinit(deadline);
}

/* An element, by its place in the ring. */
static void
add_element(ptrace_variable_t *ring, bt_variable_t *element, const char *type,
    unsigned long long address, int64_t place)
{
	ptrace_variable_t *v = pmodule_variable_create(
	    type, NULL, address, place, ring);

	if (v == NULL || pmodule_variable_value(v, element, true) == false)
		return;
	(void)pmodule_frame_add_variable(pmodule_variable_frame(ring), v, true);
	/* Elements have callbacks, too: this one's show_job. */
	pmodule_variable_dispatch(v, element);
}

/* The oldest once more, under a name of its own. */
static void
add_next(ptrace_variable_t *ring, bt_variable_t *element)
{
	ptrace_variable_t *v = pmodule_ptrace_variable_create(
	    ring, pmodule_variable_depth(ring) + 1, -1);

	element->name = "next";
	if (v == NULL || pmodule_variable_value(v, element, true) == false)
		return;
	(void)pmodule_frame_add_variable(pmodule_variable_frame(ring), v, true);
	pmodule_variable_dispatch(v, element);
}

static unsigned
add_elements(ptrace_variable_t *ring, bt_variable_t *raw, const char *type_name)
{
	struct bt_type *type = pmodule_cpp_get_bt_type_from_name(
	    raw->dwarf, type_name);
	unsigned long long slots = member_number(raw, "slots");
	unsigned long long head = member_number(raw, "head");
	unsigned long long count = member_number(raw, "count");
	unsigned long long room = member_number(raw, "room");
	unsigned shown = 0;

	if (type == NULL || room == 0 || room > ROOM_MAX || count > room)
		return 0;
	for (; shown < count && shown < SHOWN_MAX; shown++) {
		unsigned long long at = slots +
		    (head + shown) % room * type->size;
		bt_variable_t element;

		if (bt_variable_type_deref_at(&element, raw, type, at) == false)
			break;
		add_element(ring, &element, type_name, at, shown);
		if (shown == 0)
			add_next(ring, &element);
		bt_variable_deinit(&element);
	}
	return shown;
}

static void
show_ring(ptrace_variable_t *v, bt_variable_t *raw)
{
	char name[TEXT_MAX], *element, *text;

	/* "job" of "ring<job>" */
	if (pmodule_cpp_template_nth_argument(&element, raw->type->name, 0) ==
	    false)
		return;
	member_text(raw, "name", name, sizeof(name));
	if (add_elements(v, raw, element) != 0)
		/* The members that a person need not see. */
		pmodule_variable_state_set(
		    v, pmodule_variable_state(v) | PTRACE_VARIABLE_S_SKIP);
	if (asprintf(&text, "%s: %llu of %llu", name,
		member_number(raw, "count"), member_number(raw, "room")) >= 0)
		pmodule_variable_set_string(v, text);
	free(element);
}

static void
on_variable(ptrace_variable_t *v, bt_variable_t *raw)
{
	struct bt_type *type = bt_variable_bt_type(raw);
	const char *name;

	/* Not pointers and arrays: what they lead to has its own call. */
	if (type == NULL || type->die == NULL || bt_type_target(type) != NULL)
		return;
	/* The base type is the one without const and typedefs. */
	name = bt_type_pp(bt_type_base(type), BT_TYPE_LANG_C);
	if (strncmp(name, "struct(ring<", 12) == 0)
		show_ring(v, raw);
	else if (strcmp(name, "struct(job)") == 0)
		show_job(v, raw);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_variable_event_add(pm, NULL, on_variable);
}

/* SPDX-License-Identifier: MIT */
/*
 * Tables of virtual functions (Itanium C++ ABI, 2.5). In front of the address
 * that an object holds lie the offset to the top of the whole object and the
 * run-time type information, whose second word is the type's name; there need
 * be no symbols. Without that information (-fno-rtti) the table must begin
 * where a symbol says that a table does.
 */
#include <string.h>

#include "typename.h"
#include "vtable.h"

enum { WORD = 8, NAME_MAX_BYTES = 512, SLOTS_MAX = 64, TO_TOP_MAX = 1 << 24 };

static bool
read_word(ptrace_target_t *t, bt_addr_t at, uint64_t *out)
{

	return ptrace_target_read(t, at, out, sizeof(*out), NULL);
}

static bool
in_module(ptrace_target_t *t, bt_addr_t at)
{
	ptrace_module_t m = PTRACE_MODULE_INIT;

	return at % WORD == 0 && ptrace_target_module_at(t, at, &m);
}

static bool
is_code(ptrace_target_t *t, bt_addr_t at)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	return ptrace_target_mapping(t, at, &m) &&
	    (m.permissions & PTRACE_PERM_EXEC) != 0;
}

/* The mangled name of a type: printable, and begins as types do. */
static const char *
mangled_name(ptrace_backtrace_t *bt, bt_addr_t at)
{
	char text[NAME_MAX_BYTES];
	size_t n = ptrace_target_read_some(
	    ptrace_backtrace_target(bt), at, text, sizeof(text));

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\0')
			return i > 1 ? pmodule_text(bt, "%s", text) : NULL;
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return NULL;
		if (i == 0 && strchr("*NSZ123456789", text[0]) == NULL)
			return NULL;
	}
	return NULL;
}

static const char *
name_by_type(ptrace_backtrace_t *bt, bt_addr_t type)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t words[2], slot;
	const char *name;

	/* It is itself an object, of a class derived from std::type_info. */
	if (!in_module(t, type) ||
	    !ptrace_target_read(t, type, words, sizeof(words), NULL) ||
	    !in_module(t, words[0]) || !read_word(t, words[0], &slot) ||
	    !is_code(t, slot))
		return NULL;
	name = mangled_name(bt, words[1]);
	return name != NULL ? typename_of(bt, name) : NULL;
}

static const char *
name_by_symbol(ptrace_backtrace_t *bt, bt_addr_t table)
{
	static const char mangled[] = "_ZTV", plain[] = "vtable for ";
	const char *name = pmodule_address_symbol(bt, table - 2 * WORD);

	if (name == NULL || strchr(name, '+') != NULL)
		return NULL;
	if (strncmp(name, plain, sizeof(plain) - 1) == 0)
		return name + sizeof(plain) - 1;
	if (strncmp(name, mangled, sizeof(mangled) - 1) == 0)
		return typename_of(bt, name + sizeof(mangled) - 1);
	return NULL;
}

/* The entries of an abstract class's destructors are null: a program may have
 * some of these in front, but no table of them alone. */
static bool
has_functions(ptrace_target_t *t, bt_addr_t table, bool typed)
{
	uint64_t slots[4];

	if (!ptrace_target_read(t, table, slots, sizeof(slots[0]), NULL))
		return false;
	if (slots[0] != 0 || typed == false)
		return is_code(t, slots[0]);
	if (!ptrace_target_read(t, table, slots, sizeof(slots), NULL))
		return false;
	for (size_t i = 1; i < sizeof(slots) / sizeof(*slots); i++)
		if (slots[i] != 0)
			return is_code(t, slots[i]);
	return false;
}

bool
vtable_at(ptrace_backtrace_t *bt, bt_addr_t address, struct vtable *out)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t head[2]; /* offset to top, type information */

	if (!in_module(t, address) ||
	    !ptrace_target_read(
		t, address - 2 * WORD, head, sizeof(head), NULL) ||
	    head[0] + TO_TOP_MAX > TO_TOP_MAX || is_code(t, address) ||
	    !has_functions(t, address, head[1] != 0))
		return false;
	out->address = address;
	out->to_top = (int64_t)head[0];
	out->type = head[1] != 0 ? name_by_type(bt, head[1])
				 : name_by_symbol(bt, address);
	return out->type != NULL;
}

bool
vtable_may_be(ptrace_backtrace_t *bt, bt_addr_t address)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t slots[4];
	size_t n = ptrace_target_read_some(t, address, slots, sizeof(slots)) /
	    sizeof(*slots);

	for (size_t i = 0; i < n; i++)
		if (is_code(t, slots[i]))
			return true;
	return false;
}

bool
vtable_of(ptrace_backtrace_t *bt, bt_addr_t object, struct vtable *out)
{
	uint64_t word;

	return object % WORD == 0 &&
	    read_word(ptrace_backtrace_target(bt), object, &word) &&
	    vtable_at(bt, word, out);
}

bool
vtable_is_abstract(ptrace_backtrace_t *bt, const struct vtable *v)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	bt_addr_t pure, start;
	uint64_t slot;

	if (!ptrace_target_symbol_named(
		t, NULL, "__cxa_pure_virtual", &pure, NULL))
		return false;
	for (unsigned i = 0; i < SLOTS_MAX; i++) {
		const char *name;

		/* Functions lie in a row; behind the last is something else.
		 */
		if (!read_word(t, v->address + i * WORD, &slot))
			return false;
		if (slot == 0)
			continue;
		if (is_code(t, slot) == false)
			return false;
		if (slot == pure)
			return true;
		name = ptrace_target_symbol(t, slot, &start);
		if (name != NULL && start == slot &&
		    strncmp(name, "__cxa_pure_virtual", 18) == 0)
			return true;
	}
	return false;
}

bool
vtable_lacks_function(
    ptrace_backtrace_t *bt, bt_addr_t object, struct vtable *out)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t table, head[2], slots[2];
	bool lacks = false;

	if (!read_word(t, object, &table) || !in_module(t, table) ||
	    is_code(t, table) ||
	    !ptrace_target_read(
		t, table - 2 * WORD, head, sizeof(head), NULL) ||
	    head[0] + TO_TOP_MAX > TO_TOP_MAX || head[1] == 0)
		return false;
	/* Behind the last entry comes the next table, which begins with a null
	 * as well: one between functions counts, and the first. */
	for (int i = 0; i < SLOTS_MAX && lacks == false; i++) {
		if (!ptrace_target_read(t, table + (bt_addr_t)i * WORD, slots,
			sizeof(slots), NULL) ||
		    (slots[0] != 0 && is_code(t, slots[0]) == false))
			return false;
		lacks = slots[0] == 0 && (i == 0 || is_code(t, slots[1]));
		if (slots[0] == 0 && lacks == false)
			return false;
	}
	out->address = table;
	out->to_top = (int64_t)head[0];
	out->type = name_by_type(bt, head[1]);
	return lacks && out->type != NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * A recursive descent over the grammar of the v0 mangling, which prints as it
 * goes. What is not printed ("silent") is read all the same.
 */
#include "image/demangle_rust_private.h"

static void print_type(struct rust *r);

/* ---- lifetimes ---- */

/* Counted from the innermost binder, 1 is the last that it bound. */
static void
print_lifetime(struct rust *r, uint64_t index)
{
	uint64_t depth;

	rust_print(r, "'");
	if (index == 0) {
		rust_print(r, "_");
		return;
	}
	if (index > r->lifetimes) {
		rust_fail(r);
		return;
	}
	depth = r->lifetimes - index;
	if (depth < 26) {
		rust_print_char(r, (char)('a' + (int)depth));
	} else {
		rust_print(r, "_");
		rust_print_number(r, depth);
	}
}

/* "for<'a, 'b> ". Whoever calls it takes what was bound back. */
static void
print_binder(struct rust *r)
{
	uint64_t n = rust_tagged_integer(r, 'G');

	if (n == 0)
		return;
	rust_print(r, "for<");
	for (uint64_t i = 0; i < n && view_ok(&r->name); i++) {
		if (i != 0)
			rust_print(r, ", ");
		r->lifetimes++;
		print_lifetime(r, 1);
	}
	rust_print(r, "> ");
}

/* ---- paths ---- */

static void
print_generic_argument(struct rust *r)
{

	if (rust_eat(r, 'L'))
		print_lifetime(r, rust_integer_62(r));
	else if (rust_eat(r, 'K'))
		rust_print_const(r, false);
	else
		print_type(r);
}

static void
print_generic_arguments(struct rust *r)
{

	for (bool first = true; !rust_list_ends(r); first = false) {
		if (!first)
			rust_print(r, ", ");
		print_generic_argument(r);
	}
}

/* "::name", or "::{closure#0}" and the like, which have a capital letter. */
static void
print_nested(struct rust *r, bool in_value)
{
	char space = rust_next(r);
	uint64_t number;
	struct rust_ident id;

	if (!rust_is_lower(space) && !rust_is_upper(space))
		rust_fail(r);
	rust_print_path(r, in_value);
	number = rust_disambiguator(r);
	id = rust_read_ident(r);
	if (rust_is_lower(space)) {
		if (!rust_is_empty(&id)) {
			rust_print(r, "::");
			rust_print_ident(r, &id);
		}
		return;
	}
	rust_print(r, "::{");
	if (space == 'C')
		rust_print(r, "closure");
	else if (space == 'S')
		rust_print(r, "shim");
	else
		rust_print_char(r, space);
	if (!rust_is_empty(&id)) {
		rust_print(r, ":");
		rust_print_ident(r, &id);
	}
	rust_print(r, "#");
	rust_print_number(r, number);
	rust_print(r, "}");
}

/* "<T>" or "<T as Trait>"; where the block stands is not shown. */
static void
print_impl(struct rust *r, char tag)
{
	bool silent = r->silent;

	if (tag != 'Y') {
		(void)rust_disambiguator(r);
		r->silent = true;
		rust_print_path(r, false);
		r->silent = silent;
	}
	rust_print(r, "<");
	print_type(r);
	if (tag != 'M') {
		rust_print(r, " as ");
		rust_print_path(r, false);
	}
	rust_print(r, ">");
}

void
rust_print_path(struct rust *r, bool in_value)
{
	struct rust_ident id;
	size_t here;
	char tag;

	if (!rust_enter(r))
		return;
	switch (tag = rust_next(r)) {
	case 'C':
		(void)rust_disambiguator(r);
		id = rust_read_ident(r);
		rust_print_ident(r, &id);
		break;
	case 'N':
		print_nested(r, in_value);
		break;
	case 'M':
	case 'X':
	case 'Y':
		print_impl(r, tag);
		break;
	case 'I':
		rust_print_path(r, in_value);
		rust_print(r, in_value ? "::<" : "<");
		print_generic_arguments(r);
		rust_print(r, ">");
		break;
	case 'B':
		if (rust_go_back(r, &here))
			rust_print_path(r, in_value);
		r->name.pos = here;
		break;
	default:
		rust_fail(r);
	}
	r->depth--;
}

/* ---- types ---- */

static const char *
basic_type(char tag)
{
	static const char *const names[] = {"i8", "bool", "char", "f64", "str",
	    "f32", NULL, "u8", "isize", "usize", NULL, "i32", "u32", "i128",
	    "u128", "_", NULL, NULL, "i16", "u16", "()", "...", NULL, "i64",
	    "u64", "!"};

	return rust_is_lower(tag) ? names[tag - 'a'] : NULL;
}

/* A trait whose list of arguments stays open for what is bound in it. */
static bool
print_open_path(struct rust *r)
{
	bool open = false;
	size_t here;

	if (!rust_enter(r))
		return false;
	if (rust_eat(r, 'B')) {
		if (rust_go_back(r, &here))
			open = print_open_path(r);
		r->name.pos = here;
	} else if (rust_eat(r, 'I')) {
		rust_print_path(r, false);
		rust_print(r, "<");
		print_generic_arguments(r);
		open = true;
	} else {
		rust_print_path(r, false);
	}
	r->depth--;
	return open;
}

static void
print_dyn_trait(struct rust *r)
{
	bool open = print_open_path(r);

	while (rust_step(r) && rust_eat(r, 'p')) {
		struct rust_ident id = rust_read_ident(r);

		rust_print(r, open ? ", " : "<");
		open = true;
		rust_print_ident(r, &id);
		rust_print(r, " = ");
		print_type(r);
	}
	if (open)
		rust_print(r, ">");
}

static void
print_dyn(struct rust *r)
{
	uint64_t bound = r->lifetimes, lifetime;

	rust_print(r, "dyn ");
	print_binder(r);
	for (bool first = true; !rust_list_ends(r); first = false) {
		if (!first)
			rust_print(r, " + ");
		print_dyn_trait(r);
	}
	r->lifetimes = bound;
	if (!rust_eat(r, 'L'))
		rust_fail(r);
	lifetime = rust_integer_62(r);
	if (lifetime != 0) {
		rust_print(r, " + ");
		print_lifetime(r, lifetime);
	}
}

static void
print_abi(struct rust *r)
{
	struct rust_ident id = {.ascii = "C", .ascii_size = 1};

	if (!rust_eat(r, 'C'))
		id = rust_read_ident(r);
	if (id.ascii_size == 0 || id.puny_size != 0)
		rust_fail(r);
	rust_print(r, "extern \"");
	for (size_t i = 0; i < id.ascii_size && view_ok(&r->name); i++)
		rust_print_char(r, id.ascii[i] == '_' ? '-' : id.ascii[i]);
	rust_print(r, "\" ");
}

static void
print_function(struct rust *r)
{
	uint64_t bound = r->lifetimes;

	print_binder(r);
	if (rust_eat(r, 'U'))
		rust_print(r, "unsafe ");
	if (rust_eat(r, 'K'))
		print_abi(r);
	rust_print(r, "fn(");
	for (bool first = true; !rust_list_ends(r); first = false) {
		if (!first)
			rust_print(r, ", ");
		print_type(r);
	}
	rust_print(r, ")");
	if (!rust_eat(r, 'u')) {
		rust_print(r, " -> ");
		print_type(r);
	}
	r->lifetimes = bound;
}

static void
print_tuple(struct rust *r)
{
	size_t n = 0;

	rust_print(r, "(");
	for (; !rust_list_ends(r); n++) {
		if (n != 0)
			rust_print(r, ", ");
		print_type(r);
	}
	rust_print(r, n == 1 ? ",)" : ")");
}

static void
print_reference(struct rust *r, bool is_mut)
{
	uint64_t lifetime;

	rust_print(r, "&");
	if (rust_eat(r, 'L') && (lifetime = rust_integer_62(r)) != 0) {
		print_lifetime(r, lifetime);
		rust_print(r, " ");
	}
	if (is_mut)
		rust_print(r, "mut ");
	print_type(r);
}

static void
print_array(struct rust *r, bool has_length)
{

	rust_print(r, "[");
	print_type(r);
	if (has_length) {
		rust_print(r, "; ");
		rust_print_const(r, true);
	}
	rust_print(r, "]");
}

static void
print_compound_type(struct rust *r, char tag)
{
	size_t here;

	switch (tag) {
	case 'R':
	case 'Q':
		print_reference(r, tag == 'Q');
		break;
	case 'P':
	case 'O':
		rust_print(r, tag == 'P' ? "*const " : "*mut ");
		print_type(r);
		break;
	case 'A':
	case 'S':
		print_array(r, tag == 'A');
		break;
	case 'T':
		print_tuple(r);
		break;
	case 'F':
		print_function(r);
		break;
	case 'D':
		print_dyn(r);
		break;
	case 'B':
		if (rust_go_back(r, &here))
			print_type(r);
		r->name.pos = here;
		break;
	default:
		r->name.pos--;
		rust_print_path(r, false);
	}
}

static void
print_type(struct rust *r)
{
	const char *name;
	char tag;

	if (!rust_enter(r))
		return;
	tag = rust_next(r);
	name = basic_type(tag);
	if (!view_ok(&r->name))
		return;
	if (name != NULL)
		rust_print(r, name);
	else
		print_compound_type(r, tag);
	r->depth--;
}

/* ---- the name ---- */

/* A suffix of the linker's or LLVM's (".llvm.1234") does not belong to it. */
static bool
is_name(const char *text, size_t *size)
{
	size_t n = 0;

	if (!rust_is_upper(text[0]))
		return false;
	for (; text[n] != '\0' && text[n] != '.'; n++) {
		char c = text[n];

		if (!rust_is_digit(c) && !rust_is_lower(c) &&
		    !rust_is_upper(c) && c != '_')
			return false;
	}
	*size = n;
	return true;
}

size_t
demangle_rust(const char *name, char *out, size_t size)
{
	struct rust r = {.out = out, .size = size};
	size_t left;

	if (name[0] != '_' || name[1] != 'R' || !is_name(name + 2, &left))
		return 0;
	r.name = view_of(name + 2, left);
	rust_print_path(&r, true);
	if (view_ok(&r.name) && !view_end(&r.name)) {
		/* The crate that it was made for. */
		r.silent = true;
		rust_print_path(&r, false);
	}
	return view_ok(&r.name) && view_end(&r.name) ? r.used : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The spelling of types without a name of their own, as GDB writes them:
 * "char *", "int (*)[3]", "void (*)(int)", "int * const *", "int (ns::C::*)
 * (ns::C * const)", and in Rust "*mut T", "[T; 3]", "fn (i32) -> T". A C
 * declarator is what stands before the (absent) name, what stands behind it,
 * and the base type in front; each is one walk down the targets.
 */
#include "dwarf/types.h"

enum { CV_CONST = 1, CV_VOLATILE = 2, CV_RESTRICT = 4, CV_ATOMIC = 8 };

enum { NAME_MAX_BYTES = 65536 };

static const struct dw_type *
private_of(const struct dwarf_type *t)
{
	return (const struct dw_type *)t;
}

static unsigned
cv_of(enum dwarf_type_kind kind)
{
	switch (kind) {
	case DWARF_TYPE_CONST:
		return CV_CONST;
	case DWARF_TYPE_VOLATILE:
		return CV_VOLATILE;
	case DWARF_TYPE_RESTRICT:
		return CV_RESTRICT;
	case DWARF_TYPE_ATOMIC:
		return CV_ATOMIC;
	default:
		return 0;
	}
}

/* Through qualifiers, which it gathers. */
static const struct dwarf_type *
unqualified(const struct dwarf_type *t, unsigned *cv)
{
	for (int i = 0;
	     i < DW_TYPE_DEPTH_MAX && cv_of(t->kind) != 0 && t->target != NULL;
	     i++) {
		*cv |= cv_of(t->kind);
		t = t->target;
	}
	return t;
}

static void
put_cv(struct buf *b, unsigned cv, bool before, bool after, bool cplus)
{
	static const char *const c[] = {
	    "const", "volatile", "restrict", "_Atomic"};
	static const char *const cc[] = {
	    "const", "volatile", "__restrict__", "std::atomic"};

	for (unsigned i = 0; i < 4; i++) {
		if ((cv & 1u << i) == 0)
			continue;
		if (before)
			buf_putc(b, ' ');
		buf_puts(b, cplus ? cc[i] : c[i]);
		before = true;
	}
	if (cv != 0 && after)
		buf_putc(b, ' ');
}

static bool
is_method(const struct dwarf_type *t)
{
	return t->kind == DWARF_TYPE_MEMBER_POINTER &&
	    dwarf_type_strip(t->target)->kind == DWARF_TYPE_FUNCTION;
}

/* Qualifiers of an array are those of its elements. */
static bool
has_own_name(const struct dwarf_type *t)
{
	switch (t->kind) {
	case DWARF_TYPE_REFERENCE:
	case DWARF_TYPE_RVALUE_REFERENCE:
	case DWARF_TYPE_MEMBER_POINTER:
	case DWARF_TYPE_FUNCTION:
		return t->target == NULL;
	case DWARF_TYPE_POINTER:
	case DWARF_TYPE_ARRAY:
		return t->target == NULL || private_of(t)->named;
	default:
		return true;
	}
}

static void
put_base(struct buf *b, const struct dwarf_type *t, bool cplus)
{
	unsigned cv = 0;

	for (int i = 0; i < DW_TYPE_DEPTH_MAX; i++) {
		t = unqualified(t, &cv);
		if (has_own_name(t))
			break;
		if (t->kind != DWARF_TYPE_ARRAY)
			cv = 0;
		t = t->target;
	}
	put_cv(b, cv, false, true, cplus);
	buf_puts(b, has_own_name(t) && t->name != NULL ? t->name : "...");
}

struct spell {
	struct buf *b;
	bool cplus;
	int depth;
};

static void
put_prefix(struct spell *s, const struct dwarf_type *t, unsigned cv,
    bool to_pointer, bool space_after)
{
	struct buf *b = s->b;

	t = unqualified(t, &cv);
	if (has_own_name(t) || s->depth++ > DW_TYPE_DEPTH_MAX)
		return;
	switch (t->kind) {
	case DWARF_TYPE_POINTER:
		put_prefix(s, t->target, 0, true, true);
		buf_putc(b, '*');
		put_cv(b, cv, true, space_after, s->cplus);
		break;
	case DWARF_TYPE_REFERENCE:
	case DWARF_TYPE_RVALUE_REFERENCE:
		put_prefix(s, t->target, 0, true, false);
		buf_puts(b, t->kind == DWARF_TYPE_REFERENCE ? "&" : "&&");
		put_cv(b, cv, true, space_after, s->cplus);
		break;
	case DWARF_TYPE_MEMBER_POINTER:
		if (is_method(t))
			buf_putc(b, '(');
		else
			put_prefix(s, t->target, 0, false, false);
		buf_puts(b, t->owner->name != NULL ? t->owner->name : "...");
		buf_puts(b, "::*");
		break;
	case DWARF_TYPE_FUNCTION:
		put_prefix(s, t->target, 0, false, false);
		if (to_pointer)
			buf_putc(b, '(');
		break;
	default: /* DWARF_TYPE_ARRAY */
		put_prefix(s, t->target, cv, false, space_after);
		if (to_pointer)
			buf_putc(b, '(');
		break;
	}
}

static void
put_bounds(struct buf *b, const struct dwarf_type *t)
{
	for (unsigned i = 0; i < t->n_bounds; i++) {
		const struct dwarf_bound *bound = &t->bounds[i];

		buf_puts(
		    b, t->is_vector ? " __attribute__ ((vector_size(" : "[");
		if (bound->kind == DWARF_BOUND_COUNT)
			buf_printf(b, "%llu", (unsigned long long)bound->count);
		else if (bound->kind == DWARF_BOUND_DYNAMIC)
			buf_puts(b, "variable length");
		buf_puts(b, t->is_vector ? ")))" : "]");
	}
}

static void
put_suffix(struct spell *s, const struct dwarf_type *t, bool to_pointer)
{
	unsigned cv = 0;

	for (; s->depth++ <= 2 * DW_TYPE_DEPTH_MAX; t = t->target) {
		t = unqualified(t, &cv);
		if (has_own_name(t))
			return;
		switch (t->kind) {
		case DWARF_TYPE_ARRAY:
			buf_puts(s->b, to_pointer ? ")" : "");
			put_bounds(s->b, t);
			to_pointer = false;
			break;
		case DWARF_TYPE_FUNCTION:
			buf_puts(s->b, to_pointer ? ")" : "");
			buf_puts(s->b,
			    private_of(t)->arguments != NULL
				? private_of(t)->arguments
				: "(...)");
			to_pointer = false;
			break;
		case DWARF_TYPE_MEMBER_POINTER:
			buf_puts(s->b, is_method(t) ? ")" : "");
			to_pointer = false;
			break;
		default:
			to_pointer = true;
			break;
		}
	}
}

static void
spell_c(struct buf *b, const struct dwarf_type *t)
{
	struct spell s = {.b = b, .cplus = private_of(t)->cplus};
	const struct dwarf_type *outer;
	unsigned cv = 0;

	put_base(b, t, s.cplus);
	outer = unqualified(t, &cv);
	if (!has_own_name(outer) && !outer->is_vector)
		buf_putc(b, ' ');
	put_prefix(&s, t, 0, false, false);
	s.depth = 0;
	put_suffix(&s, t, false);
}

/* The target was named before: no recursion. */
static void
spell_rust(struct buf *b, const struct dwarf_type *t)
{
	const char *target = t->target != NULL && t->target->name != NULL
	    ? t->target->name
	    : "...";

	switch (t->kind) {
	case DWARF_TYPE_ARRAY:
		for (unsigned i = 0; i < t->n_bounds; i++)
			buf_putc(b, '[');
		buf_puts(b, target);
		for (unsigned i = t->n_bounds; i > 0; i--) {
			const struct dwarf_bound *bound = &t->bounds[i - 1];

			if (bound->kind == DWARF_BOUND_COUNT)
				buf_printf(b, "; %llu",
				    (unsigned long long)bound->count);
			buf_putc(b, ']');
		}
		break;
	case DWARF_TYPE_FUNCTION:
		buf_printf(b, "fn %s",
		    private_of(t)->arguments != NULL ? private_of(t)->arguments
						     : "(...)");
		if (t->target != NULL && t->target->kind != DWARF_TYPE_VOID)
			buf_printf(b, " -> %s", target);
		break;
	default:
		buf_printf(b, "*mut %s", target);
		break;
	}
}

static bool
is_spelled_rust(const struct dwarf_type *t)
{
	return private_of(t)->rust &&
	    (t->kind == DWARF_TYPE_ARRAY || t->kind == DWARF_TYPE_FUNCTION ||
		t->kind == DWARF_TYPE_POINTER);
}

const char *
dw_type_spell(struct dwarf *d, const struct dwarf_type *t)
{
	const char *text;
	struct buf b;

	buf_init(&b, NAME_MAX_BYTES);
	if (is_spelled_rust(t))
		spell_rust(&b, t);
	else
		spell_c(&b, t);
	text = b.failed ? NULL : arena_strdup(&d->arena, buf_text(&b));
	buf_deinit(&b);
	return text != NULL ? text : "<unknown>";
}

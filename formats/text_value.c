/* SPDX-License-Identifier: MIT */
/* One value on one line, as a C programmer would write it. */
#include <math.h>

#include "base/text.h"
#include "formats/json_out.h"
#include "formats/text.h"

/* For people: the snapshot itself holds more. */
enum { MAX_OWN = 1500, MAX_TARGET = 300, MAX_DEPTH = 8 };

struct printer {
	const struct snapshot *s;
	struct buf *b;
	size_t end; /* of b's size: what comes later is left out */
};

static void put_value(
    struct printer *p, const struct snap_variable *v, unsigned depth);

static void
put_quoted(struct printer *p, const struct snap_variable *v)
{
	buf_putc(p->b, '"');
	text_escape(p->b, v->string != NULL ? v->string : "", v->string_size);
	buf_putc(p->b, '"');
	if (v->flags & SNAP_VAR_TRUNCATED) {
		buf_puts(p->b, "...");
		if (v->flags & SNAP_VAR_LENGTH)
			buf_printf(p->b, " (%llu bytes)",
			    (unsigned long long)v->length);
	}
}

static void
put_float(struct printer *p, const struct snap_variable *v, double value)
{
	bool single = strcmp(v->type, "float") == 0 ||
	    strncmp(v->type, "float ", 6) == 0;
	char text[32];

	json_double_text(text, value, single);
	buf_puts(p->b, text);
}

static void
put_complex(struct printer *p, const struct snap_variable *v)
{
	double imaginary = v->value.complex_parts[1];

	put_float(p, v, v->value.complex_parts[0]);
	if (!signbit(imaginary))
		buf_puts(p->b, " + ");
	else
		buf_puts(p->b, " - ");
	put_float(p, v, fabs(imaginary));
	buf_putc(p->b, 'i');
}

static void
put_char(struct printer *p, const struct snap_variable *v)
{
	uint64_t code = v->value.u & 0xffffffff;

	buf_printf(p->b, "%lld ", (long long)v->value.i);
	if (v->flags & SNAP_VAR_STRING) {
		buf_putc(p->b, '\'');
		text_escape(p->b, v->string, v->string_size);
		buf_putc(p->b, '\'');
	} else if (code >= 0x20 && code < 0x7f) {
		buf_printf(p->b, "'%c'", (int)code);
	} else {
		buf_printf(p->b, "'\\x%02llx'",
		    (unsigned long long)(v->value.u & 0xff));
	}
}

static void
put_heap(
    struct printer *p, const struct snap_variable *v, const struct snap_heap *h)
{
	const char *owner = snapshot_heap_owner(p->s, v);

	buf_printf(p->b, " [%s block of %llu", h->allocated ? "heap" : "FREED",
	    (unsigned long long)h->size);
	if (h->offset != 0)
		buf_printf(p->b, ", at +%llu", (unsigned long long)h->offset);
	if (h->allocated == false && h->place != NULL && h->place[0] != '\0') {
		buf_puts(p->b, ", in ");
		text_escape(p->b, h->place, strlen(h->place));
	} else if (owner != NULL && owner[0] != '\0') {
		buf_puts(p->b, ", ");
		text_escape(p->b, owner, strlen(owner));
	}
	buf_putc(p->b, ']');
}

static void
put_pointer(struct printer *p, const struct snap_variable *v, unsigned depth)
{
	const struct snap_heap *heap = snapshot_heap_of(p->s, v);
	const struct snap_variable *target = NULL;

	buf_printf(p->b, "0x%llx", (unsigned long long)v->value.u);
	if (v->flags & SNAP_VAR_STRING) {
		buf_putc(p->b, ' ');
		if (v->kind == SNAP_FUNCTION) {
			buf_putc(p->b, '<');
			text_escape(p->b, v->string, v->string_size);
			buf_putc(p->b, '>');
		} else {
			put_quoted(p, v);
		}
	}
	if (heap != NULL)
		put_heap(p, v, heap);
	/* The object pointed to, one step: more is in the snapshot. */
	if (depth == 0 && v->object != 0 && v->object <= p->s->objects.count)
		target = &p->s->objects.items[v->object - 1].variable;
	if (target != NULL && target->kind != SNAP_UNAVAILABLE) {
		size_t end = p->end;

		buf_puts(p->b, " -> ");
		if (p->end > p->b->size + MAX_TARGET)
			p->end = p->b->size + MAX_TARGET;
		put_value(p, target, depth + 1);
		p->end = end;
	}
}

static bool
same_element(const struct snap_variable *a, const struct snap_variable *b)
{
	if (a->kind != b->kind || a->n_children != 0 || b->n_children != 0 ||
	    a->flags != b->flags || a->number != NULL || b->number != NULL ||
	    (a->flags & SNAP_VAR_STRING) != 0 || a->object != b->object ||
	    a->kind == SNAP_UNAVAILABLE)
		return false;
	return memcmp(&a->value, &b->value, sizeof(a->value)) == 0;
}

/* Runs of one element are counted, as GDB does. */
static uint32_t
run_length(const struct snap_variable *v, uint32_t i)
{
	uint32_t n = 1;

	while (i + n < v->n_children &&
	    same_element(&v->children[i], &v->children[i + n]))
		n++;
	return n;
}

static void
put_members(struct printer *p, const struct snap_variable *v, unsigned depth)
{
	bool array = v->kind == SNAP_ARRAY;

	buf_putc(p->b, '{');
	for (uint32_t i = 0; i < v->n_children; i++) {
		const struct snap_variable *m = &v->children[i];
		uint32_t run = array ? run_length(v, i) : 1;

		if (i > 0)
			buf_puts(p->b, ", ");
		if (p->b->size > p->end) {
			buf_puts(p->b, "...}");
			return;
		}
		if (!array && m->name != NULL && m->name[0] != '\0') {
			if (m->flags & SNAP_VAR_BASE) {
				buf_putc(p->b, '<');
				text_escape(p->b, m->name, strlen(m->name));
				buf_putc(p->b, '>');
			} else {
				text_escape(p->b, m->name, strlen(m->name));
			}
			buf_puts(p->b, " = ");
		}
		put_value(p, m, depth + 1);
		if (run > 4) {
			buf_printf(p->b, " <repeats %u times>", run);
			i += run - 1;
		}
	}
	if (v->flags & SNAP_VAR_TRUNCATED) {
		buf_puts(p->b, v->n_children > 0 ? ", ..." : "...");
		if (v->flags & SNAP_VAR_LENGTH)
			buf_printf(
			    p->b, " of %llu", (unsigned long long)v->length);
	}
	buf_putc(p->b, '}');
}

static void
put_scalar(struct printer *p, const struct snap_variable *v, unsigned depth)
{
	if (v->number != NULL) {
		text_escape(p->b, v->number, strlen(v->number));
		return;
	}
	switch ((enum snap_kind)v->kind) {
	case SNAP_INT:
		buf_printf(p->b, "%lld", (long long)v->value.i);
		break;
	case SNAP_FLOAT:
		put_float(p, v, v->value.f);
		break;
	case SNAP_COMPLEX:
		put_complex(p, v);
		break;
	case SNAP_BOOL:
		buf_puts(p->b, v->value.u != 0 ? "true" : "false");
		break;
	case SNAP_CHAR:
		put_char(p, v);
		break;
	case SNAP_ENUM:
		if (v->flags & SNAP_VAR_STRING)
			text_escape(p->b, v->string, v->string_size);
		else
			buf_printf(p->b, "%lld", (long long)v->value.i);
		break;
	case SNAP_POINTER:
	case SNAP_FUNCTION:
		put_pointer(p, v, depth);
		break;
	default:
		buf_printf(p->b, "%llu", (unsigned long long)v->value.u);
		break;
	}
}

/* A struct that is a text (std::string, Rust's String): the text says more
 * than its members, which stay in the JSON document. The string of an enum
 * with data is the name of its one member and no text. */
static bool
is_text(const struct snap_variable *v)
{
	size_t n;

	if ((v->flags & SNAP_VAR_STRING) == 0 ||
	    (v->flags & SNAP_VAR_SUMMARY) != 0 ||
	    (v->kind != SNAP_STRUCT && v->kind != SNAP_UNION &&
		v->kind != SNAP_ARRAY))
		return false;
	if (v->n_children != 1 || v->children[0].name == NULL)
		return true;
	n = strlen(v->children[0].name);
	return n != v->string_size ||
	    memcmp(v->children[0].name, v->string, n) != 0;
}

/* "std::vector of length 2 = {1, 2}"; what is empty needs no braces. */
static bool
put_summary(struct printer *p, const struct snap_variable *v)
{
	if ((v->flags & SNAP_VAR_SUMMARY) == 0)
		return true;
	text_escape(p->b, v->string, v->string_size);
	if (v->n_children == 0 && (v->flags & SNAP_VAR_TRUNCATED) == 0)
		return false;
	buf_puts(p->b, " = ");
	return true;
}

static void
put_value(struct printer *p, const struct snap_variable *v, unsigned depth)
{
	if (v->kind == SNAP_UNAVAILABLE) {
		const char *reason = v->reason != NULL ? v->reason : "unknown";

		buf_putc(p->b, '<');
		text_escape(p->b, reason, strlen(reason));
		buf_putc(p->b, '>');
	} else if (v->kind == SNAP_STRING || is_text(v)) {
		put_quoted(p, v);
		/* Made by a module: the program's own texts have none. */
		if (v->kind == SNAP_STRING && v->n_children != 0 &&
		    depth < MAX_DEPTH) {
			buf_putc(p->b, ' ');
			put_members(p, v, depth);
		}
	} else if (v->kind == SNAP_STRUCT || v->kind == SNAP_UNION ||
	    v->kind == SNAP_ARRAY) {
		if (put_summary(p, v) == false)
			return;
		if (depth >= MAX_DEPTH)
			buf_puts(p->b, "{...}");
		else
			put_members(p, v, depth);
	} else if ((v->flags & SNAP_VAR_SUMMARY) != 0) {
		/* A number in other words: "1500 ms". */
		text_escape(p->b, v->string, v->string_size);
	} else if ((v->flags & SNAP_VAR_VALUE) == 0 && v->number == NULL) {
		buf_puts(p->b, "<unknown>");
	} else {
		put_scalar(p, v, depth);
	}
}

void
text_value(
    const struct snapshot *s, const struct snap_variable *v, struct buf *out)
{
	struct printer p = {s, out, out->size + MAX_OWN};

	put_value(&p, v, 0);
}

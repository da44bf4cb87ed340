/* SPDX-License-Identifier: MIT */
/*
 * Which member lies at an offset of what a pointer points to. It needs only
 * the pointer's type, so it works for pointers that are null or wild, of which
 * the snapshot has no object.
 */
#include <stdio.h>

#include "dwarf/dwarf.h"
#include "module/module_private.h"

enum { MEMBER_DEPTH = 12, MEMBER_TEXT = 256 };

struct path { /* "inner.items[3].x" */
	char text[MEMBER_TEXT];
	size_t used;
};

static void BT_PRINTF(2, 3) append(struct path *p, const char *format, ...)
{
	size_t room = sizeof(p->text) - p->used;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(p->text + p->used, room, format, ap);
	va_end(ap);
	if (n > 0)
		p->used += (size_t)n < room ? (size_t)n : room - 1;
}

static uint64_t
size_of(const struct dwarf_type *type)
{

	return type->has_size ? type->size : 0;
}

/* The member whose bytes hold the offset; the last that begins there, as an
 * empty base may begin at the same place. */
static const struct dwarf_member *
member_at(const struct dwarf_type *type, uint64_t offset)
{
	const struct dwarf_member *found = NULL;

	for (unsigned i = 0; i < type->n_members; i++) {
		const struct dwarf_member *m = &type->members[i];
		uint64_t size = size_of(dwarf_type_strip(m->type));

		if (m->is_static || m->is_virtual || m->offset_is_expr ||
		    offset < m->offset || size == 0 ||
		    offset - m->offset >= size)
			continue;
		found = m;
		if (type->kind == DWARF_TYPE_UNION)
			break;
	}
	return found;
}

static bool
describe(struct dwarf *d, const struct dwarf_type *type, uint64_t offset,
    struct path *p)
{

	for (int depth = 0; depth < MEMBER_DEPTH; depth++) {
		type = dwarf_type_complete(d, dwarf_type_strip(type));
		if (type->kind == DWARF_TYPE_ARRAY && type->n_bounds == 1) {
			const struct dwarf_type *element = dwarf_type_strip(
			    type->target);
			uint64_t size = size_of(element);

			if (size == 0)
				break;
			append(
			    p, "[%llu]", (unsigned long long)(offset / size));
			offset %= size;
			type = element;
		} else if (type->kind == DWARF_TYPE_STRUCT ||
		    type->kind == DWARF_TYPE_UNION) {
			const struct dwarf_member *m = member_at(type, offset);

			if (m == NULL)
				break;
			if (m->name != NULL && m->is_base == false)
				append(
				    p, "%s%s", p->used > 0 ? "." : "", m->name);
			offset -= m->offset;
			type = m->type;
		} else {
			break;
		}
	}
	return p->used > 0;
}

/* The variable of that name in the innermost scope that has one. */
static const struct dwarf_type *
variable_type(const struct dwarf_plan *plan, const char *name)
{

	for (unsigned i = 0; i < plan->n_scopes; i++) {
		const struct dwarf_scope *scope = &plan->scopes[i];

		for (unsigned j = 0; j < scope->n_variables; j++)
			if (scope->variables[j].name != NULL &&
			    strcmp(scope->variables[j].name, name) == 0)
				return scope->variables[j].type;
	}
	return NULL;
}

bool
ptrace_frame_member(ptrace_frame_t *f, const char *variable, uint64_t offset,
    char *out, size_t size)
{
	struct module_host *host = f->host;
	struct value_reader *reader = module_reader(host);
	const struct snap_frame *s = module_snap_frame(f);
	struct target_module *module = target_module_at(host->target, s->ip);
	struct path path = {{0}, 0};
	const struct dwarf_type *type;
	const struct dwarf_plan *plan;
	struct dwarf *d;
	uint64_t pc;

	if (reader == NULL || module == NULL || size == 0)
		return false;
	d = value_reader_dwarf(reader, module);
	if (d == NULL)
		return false;
	/* A return address may lie behind the scope that made the call. */
	pc = s->ip - (f->index > 0 && s->ip > 0);
	plan = dwarf_plan_at(d, pc - module->bias, true);
	type = plan != NULL ? variable_type(plan, variable) : NULL;
	if (type == NULL)
		return false;
	type = dwarf_type_strip(type);
	if (type->kind != DWARF_TYPE_POINTER &&
	    type->kind != DWARF_TYPE_REFERENCE)
		return false;
	if (type->target == NULL || !describe(d, type->target, offset, &path))
		return false;
	(void)snprintf(out, size, "%s", path.text);
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Structs of an allocator, as debug information describes them: those that the
 * compilation unit of its code declares. That unit alone is read; which one it
 * is, is known without a search when the module's debug information was read
 * for the names of its frames, and C libraries nearly always have some.
 */
#include "dwarf/dwarf.h"
#include "module/module_private.h"
#include <ptrace/heap.h>

static struct dwarf *
dwarf_of(struct module_host *host, struct target_module *module, bool open)
{
	struct value_reader *reader;

	if (open == false)
		return host->options.known_dwarf != NULL
		    ? host->options.known_dwarf(host->options.ctx, module)
		    : NULL;
	reader = module_reader(host);
	return reader != NULL ? value_reader_dwarf(reader, module) : NULL;
}

static const struct dwarf_type *
find(struct module_host *host, struct dwarf *d, bt_addr_t code, uint64_t bias,
    const char *type)
{
	const struct dwarf_type *found;

	if (host->heap_type != NULL && host->heap_type_code == code &&
	    strcmp(host->heap_type_name, type) == 0)
		return host->heap_type;
	found = dwarf_type_at(d, code - bias, type);
	if (found != NULL && strlen(type) < sizeof(host->heap_type_name)) {
		host->heap_type = found;
		host->heap_type_code = code;
		memcpy(host->heap_type_name, type, strlen(type) + 1);
	}
	return found;
}

static void
describe(
    const struct dwarf_type *type, uint64_t offset, ptrace_heap_member_t *out)
{

	type = dwarf_type_strip(type);
	out->pointer = type->kind == DWARF_TYPE_POINTER;
	out->offset = offset;
	out->bytes = type->has_size ? type->size : 0;
	out->elements = 1;
	if (type->kind == DWARF_TYPE_ARRAY && type->n_bounds == 1 &&
	    type->bounds[0].kind == DWARF_BOUND_COUNT)
		out->elements = type->bounds[0].count;
}

bool
module_heap_member(struct module_host *host, bt_addr_t code, const char *type,
    const char *member, bool open, ptrace_heap_member_t *out)
{
	struct target_module *module = target_module_at(host->target, code);
	const struct dwarf_type *found;
	struct dwarf *d;

	if (module == NULL || out->size < sizeof(*out))
		return false;
	d = dwarf_of(host, module, open);
	if (d == NULL)
		return false;
	found = find(host, d, code, module->bias, type);
	if (found == NULL)
		return false;
	if (member == NULL) {
		describe(found, 0, out);
		return true;
	}
	found = dwarf_type_complete(d, found);
	for (unsigned i = 0; i < found->n_members; i++) {
		const struct dwarf_member *m = &found->members[i];

		if (m->name == NULL || strcmp(m->name, member) != 0 ||
		    m->is_static || m->offset_is_expr || m->bit_size != 0)
			continue;
		describe(m->type, m->offset, out);
		return true;
	}
	return false;
}

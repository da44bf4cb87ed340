/* SPDX-License-Identifier: MIT */
/*
 * Members that modules add from raw variables (the elements of a container,
 * what a smart pointer owns), and the line that sums them up.
 */
#include "module/module_private.h"

/* Nodes of what was read count as additions, so that a hundred elements that
 * are large structs cost as much as they are. */
static uint32_t
count_nodes(const struct snap_variable *v, unsigned depth)
{
	uint32_t n = 1;

	for (uint32_t i = 0; depth < SNAP_MAX_DEPTH && i < v->n_children; i++)
		n += count_nodes(&v->children[i], depth + 1);
	return n;
}

static void
charge(struct module_host *host, uint32_t nodes)
{
	struct pmodule *module = host->current;

	if (module == NULL)
		return;
	module->adds = nodes < MODULE_ADDS_MAX - module->adds
	    ? module->adds + nodes
	    : MODULE_ADDS_MAX;
}

static ptrace_variable_t *
add(ptrace_variable_t *owner, const char *name, const struct value_raw *raw)
{
	struct module_host *host = owner->host;
	struct snap_variable *s;
	ptrace_variable_t *v;

	v = module_variable_make(host, "", name, 0,
	    name != NULL ? -1 : (int64_t)module_member_list(owner)->count,
	    owner);
	if (v == NULL ||
	    (v->raw = arena_alloc(&host->arena, sizeof(*v->raw))) == NULL)
		return NULL;
	*v->raw = *raw;
	v->visit = true;
	s = v->snap;
	name = s->name;
	value_raw_fill(raw, s);
	s->name = name;
	charge(host, count_nodes(s, 0) - 1);
	return module_list_add(owner, v) ? v : NULL;
}

ptrace_variable_t *
pmodule_variable_add_member(
    ptrace_variable_t *owner, const char *name, bt_variable_t *raw)
{
	const struct value_raw *from = module_raw(raw);

	return owner != NULL && owner->view == false && from != NULL
	    ? add(owner, name, from)
	    : NULL;
}

uint32_t
pmodule_variable_add_elements(
    ptrace_variable_t *owner, bt_variable_t *first, uint32_t count)
{
	const struct value_raw *from = module_raw(first);
	struct value_raw raw;
	uint64_t size;
	uint32_t n;

	if (owner == NULL || owner->view || from == NULL ||
	    from->in_memory == false)
		return 0;
	size = value_shape_size(from->r, from->shape);
	raw = *from;
	for (n = 0; n < count && (size != 0 || n == 0); n++) {
		if (budget_step(owner->host->options.budget) == false ||
		    add(owner, NULL, &raw) == NULL)
			break;
		raw.address += size;
	}
	return n;
}

bool
pmodule_variable_set_summary(ptrace_variable_t *v, const char *text)
{
	struct snap_variable *s = v != NULL && v->view == false ? v->snap
								: NULL;

	if (s == NULL || text == NULL || module_may_add(v->host) == false)
		return false;
	s->string = snapshot_string(v->host->snapshot, text);
	s->string_size = (uint32_t)strlen(s->string);
	s->flags |= SNAP_VAR_STRING | SNAP_VAR_SUMMARY;
	v->host->changed = true;
	return true;
}

bool
pmodule_variable_set_length(ptrace_variable_t *v, uint64_t length)
{
	struct snap_variable *s = v != NULL && v->view == false ? v->snap
								: NULL;
	uint32_t shown = 0;

	if (s == NULL)
		return false;
	if (s->kind == SNAP_STRING)
		shown = s->string_size;
	for (uint32_t i = 0; i < ptrace_variable_n_members(v); i++)
		shown += (v->state & PTRACE_VARIABLE_S_SKIP) == 0 ||
		    v->members.items[i]->own;
	s->flags &= (uint16_t) ~(SNAP_VAR_TRUNCATED | SNAP_VAR_LENGTH);
	s->length = length;
	if (length > shown)
		s->flags |= SNAP_VAR_TRUNCATED | SNAP_VAR_LENGTH;
	v->host->changed = true;
	return true;
}

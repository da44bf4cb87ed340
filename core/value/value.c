/* SPDX-License-Identifier: MIT */
/*
 * The reader, and the variables of a frame. A scope is planned once: names
 * interned, types compiled, location lists resolved at the scope's pc, the
 * usual one-operation locations recognised. Then a frame only evaluates the
 * slots of the plan.
 */
#include "expr/opcodes.h"
#include "value/raw_private.h"
#include "value/slots.h"

const struct value_limits value_default_limits = {
    .string_bytes = 1024,
    .array_elements = 64,
    .depth = 6,
    .follow_depth = 4,
    .objects = 20000,
};

/* ---- the reader ---- */

struct value_reader *
value_reader_create(const struct value_reader_options *options)
{
	struct value_reader *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->entry_memo = entry_memo_create()) == NULL) {
		free(r);
		return NULL;
	}
	r->target = options->target;
	if (options->target != NULL)
		r->arch = target_arch(options->target);
	r->unwinder = options->unwinder;
	r->snapshot = options->snapshot;
	r->budget = options->budget;
	r->dwarf_of = options->dwarf_of;
	r->dwarf_ctx = options->ctx;
	r->limits = options->limits != NULL ? *options->limits
					    : value_default_limits;
	arena_init(&r->arena, VALUE_SHAPES_CAP);
	arena_init(&r->scratch, VALUE_SCRATCH_CAP);
	arena_init(&r->nodes, VALUE_NODES_CAP);
	r->nodes_to = &r->snapshot->arena;
	snap_packer_init(&r->packer, &r->snapshot->arena);
	map_init(&r->shapes, VALUE_MAPS_LIMIT);
	map_init(&r->scopes, VALUE_MAPS_LIMIT);
	map_init(&r->names, VALUE_MAPS_LIMIT);
	map_init(&r->symbols, VALUE_MAPS_LIMIT);
	map_init(&r->tail_loops, VALUE_MAPS_LIMIT);
	map_init(&r->functions, VALUE_MAPS_LIMIT);
	vec_init(&r->pending, r->limits.objects);
	return r;
}

void
value_reader_destroy(struct value_reader *r)
{
	if (r == NULL)
		return;
	entry_memo_destroy(r->entry_memo);
	vec_deinit(&r->pending);
	map_deinit(&r->functions);
	map_deinit(&r->tail_loops);
	map_deinit(&r->symbols);
	map_deinit(&r->names);
	map_deinit(&r->scopes);
	map_deinit(&r->shapes);
	snap_packer_deinit(&r->packer);
	arena_deinit(&r->nodes);
	arena_deinit(&r->scratch);
	arena_deinit(&r->arena);
	free(r);
}

/* ---- planning a scope ---- */

static void
slot_block(struct slot *slot, struct view block)
{
	struct view v = block;
	uint8_t op = view_u8(&v);

	slot->how = SLOT_BLOCK;
	slot->block = block;
	if (op == DW_OP_fbreg) {
		slot->offset = view_sleb(&v);
		if (view_ok(&v) && view_left(&v) == 0)
			slot->how = SLOT_FRAME;
	} else if (op == DW_OP_addr) {
		slot->offset = (int64_t)view_u64(&v);
		if (view_ok(&v) && view_left(&v) == 0)
			slot->how = SLOT_ADDRESS;
	}
}

static void
slot_locate(struct slot *slot, uint64_t pc)
{
	struct view block;
	bt_error_t e;

	switch (slot->location->kind) {
	case DWARF_LOC_EXPR:
	case DWARF_LOC_LIST:
		e.code = BT_OK;
		if (dwarf_location_at(slot->location, pc, &block, &e) &&
		    block.size != 0) {
			slot_block(slot, block);
			return;
		}
		slot->reason = e.code == BT_E_FORMAT ? "damaged location"
						     : value_optimized_out;
		break;
	case DWARF_LOC_CONST:
	case DWARF_LOC_BYTES:
		slot->how = SLOT_LOCATION;
		return;
	default:
		slot->reason = value_optimized_out;
		break;
	}
	slot->how = SLOT_REASON;
}

/* As GDB: what has no name is not listed (bounds of arrays, parameters that the
 * function ignores), and what is declared extern inside a function lives
 * elsewhere. */
static bool
is_shown(const struct dwarf_variable *variable)
{
	return variable->external_declaration == false &&
	    variable->name != NULL && variable->name[0] != '\0';
}

static bool
has_evaluated_size(const struct shape *s)
{
	return (s->kind == SHAPE_ARRAY || s->kind == SHAPE_TEXT) &&
	    s->has_size == false;
}

static bool
slot_init(struct value_reader *r, struct dwarf *dwarf, uint64_t pc,
    const struct dwarf_variable *variable, struct slot *slot)
{
	struct evaluator ev = {.r = r, .dwarf = dwarf, .pc = pc};

	slot->shape = shape_of(r, dwarf, variable->type);
	if (slot->shape == NULL)
		return false;
	slot->name = value_name(r, variable->name);
	slot->flags = variable->parameter ? SNAP_VAR_PARAMETER : 0;
	slot->location = &variable->location;
	slot->size = has_evaluated_size(slot->shape)
	    ? UINT64_MAX
	    : value_size(&ev, slot->shape);
	slot_locate(slot, pc);
	return true;
}

static struct scope_plan *
plan_scope(struct value_reader *r, struct dwarf *dwarf, uint64_t pc,
    const struct dwarf_scope *scope)
{
	struct scope_plan *plan = ARENA_NEW(&r->arena, struct scope_plan);

	if (plan == NULL)
		return NULL;
	plan->slots = arena_array(
	    &r->arena, scope->n_variables, sizeof(*plan->slots));
	if (plan->slots == NULL)
		return NULL;
	for (unsigned i = 0; i < scope->n_variables; i++) {
		if (is_shown(&scope->variables[i]) &&
		    slot_init(r, dwarf, pc, &scope->variables[i],
			&plan->slots[plan->n_slots]))
			plan->n_slots++;
	}
	return plan;
}

static struct scope_plan *
scope_plan_of(struct value_reader *r, const struct value_frame *f)
{
	const struct dwarf_scope *scope = &f->plan->scopes[f->scope];
	uint64_t key = (uint64_t)(uintptr_t)scope->variables;
	struct scope_plan *plan;

	plan = map_get_ptr(&r->scopes, key);
	if (plan == NULL) {
		plan = plan_scope(r, f->dwarf, f->plan->pc, scope);
		if (plan != NULL)
			(void)map_put_ptr(&r->scopes, key, plan);
	}
	return plan;
}

/* ---- a frame ---- */

void
value_begin(struct value_reader *r)
{
	r->nodes_left = VALUE_NODES_MAX;
	r->runs_left = VALUE_RUNS_MAX;
	if (r->scratch.used != 0)
		arena_reset(&r->scratch);
}

void
slot_source(struct evaluator *ev, const struct slot *slot, struct source *out)
{
	struct value_reader *r = ev->r;
	uint64_t base, size;

	switch (slot->how) {
	case SLOT_FRAME:
		if (ev->base_state == BASE_KNOWN)
			source_memory(
			    r, out, ev->base + (uint64_t)slot->offset);
		else if (value_frame_base(ev, &base, NULL))
			source_memory(r, out, base + (uint64_t)slot->offset);
		else
			source_none(out, "frame base not known");
		break;
	case SLOT_ADDRESS:
		source_memory(r, out, (uint64_t)slot->offset + ev->bias);
		break;
	case SLOT_BLOCK:
		size = slot->size != UINT64_MAX ? slot->size
						: value_size(ev, slot->shape);
		value_locate_block(
		    ev, slot->location->unit, slot->block, size, out);
		break;
	case SLOT_LOCATION:
		value_locate(ev, slot->location, slot->size, out);
		break;
	default:
		source_none(out, slot->reason);
		break;
	}
}

void
slot_read(
    struct evaluator *ev, const struct slot *slot, struct snap_variable *v)
{
	struct source source;

	value_begin(ev->r);
	slot_source(ev, slot, &source);
	value_read(ev, slot->shape, &source, 0, 0, v);
}

static void
frame_evaluator(
    struct value_reader *r, const struct value_frame *f, struct evaluator *ev)
{
	const struct unwind_frame *frame = f->stack->frames.items[f->index];

	*ev = (struct evaluator){
	    .r = r,
	    .thread = f->thread,
	    .stack = f->stack,
	    .frame = frame,
	    .index = f->index,
	    .module = frame->module,
	    .dwarf = f->dwarf,
	    .function = &f->plan->scopes[f->plan->n_scopes - 1],
	    .pc = f->plan->pc,
	    .bias = frame->module != NULL ? frame->module->bias : 0,
	    .follow = f->follow,
	};
}

/* All slots of the plan as nodes; NULL: no room. */
static struct snap_variable *
read_slots(struct value_reader *r, const struct value_frame *f,
    const struct scope_plan *plan)
{
	struct snap_variable *variables;
	struct evaluator ev;

	if (value_charge_nodes(r, plan->n_slots * sizeof(*variables)) == false)
		return NULL;
	variables = arena_array(r->nodes_to, plan->n_slots, sizeof(*variables));
	if (variables == NULL)
		return NULL;
	frame_evaluator(r, f, &ev);
	for (uint32_t i = 0; i < plan->n_slots; i++) {
		variables[i].name = plan->slots[i].name;
		variables[i].flags = plan->slots[i].flags;
		slot_read(&ev, &plan->slots[i], &variables[i]);
	}
	return variables;
}

/* By way of nodes, in memory that every frame uses again. */
static const struct snap_packed *
pack_nodes(struct value_reader *r, const struct value_frame *f,
    struct scope_plan *plan)
{
	const struct snap_variable *variables;

	arena_reset(&r->nodes);
	r->nodes_to = &r->nodes;
	r->nodes_bytes = 0;
	variables = read_slots(r, f, plan);
	r->nodes_to = &r->snapshot->arena;
	r->snapshot->values_bytes -= r->nodes_bytes;
	return variables != NULL
	    ? snap_pack(&r->packer, &plan->templates, variables, plan->n_slots)
	    : NULL;
}

/* Only the row is kept and charged for. */
static const struct snap_packed *
pack_slots(struct value_reader *r, const struct value_frame *f,
    struct scope_plan *plan)
{
	size_t used = r->snapshot->arena.used;
	const struct snap_packed *packed;
	struct evaluator ev;

	frame_evaluator(r, f, &ev);
	packed = slots_row(&ev, plan);
	if (packed == NULL)
		packed = pack_nodes(r, f, plan);
	(void)value_charge(r, r->snapshot->arena.used - used);
	return packed;
}

void
value_frame_variables(
    struct value_reader *r, const struct value_frame *f, struct snap_frame *out)
{
	struct scope_plan *plan;

	out->n_variables = 0;
	out->variables = NULL;
	out->packed = NULL;
	if (f->plan == NULL || f->scope >= f->plan->n_scopes ||
	    f->index >= f->stack->frames.count)
		return;
	if (f->plan->scopes[f->scope].n_variables == 0) {
		out->variables_collected = true;
		return;
	}
	plan = scope_plan_of(r, f);
	if (plan == NULL)
		return;
	if (f->pack) {
		out->packed = pack_slots(r, f, plan);
		out->variables_collected = out->packed != NULL;
		return;
	}
	out->variables = read_slots(r, f, plan);
	out->variables_collected = out->variables != NULL;
	if (out->variables_collected)
		out->n_variables = plan->n_slots;
}

bool
value_raw_frame(struct value_reader *r, const struct value_frame *f, uint32_t i,
    struct value_raw *out)
{
	const struct scope_plan *plan;
	struct evaluator ev;
	struct source source;

	if (f->plan == NULL || f->scope >= f->plan->n_scopes ||
	    f->index >= f->stack->frames.count)
		return false;
	plan = scope_plan_of(r, f);
	if (plan == NULL || i >= plan->n_slots)
		return false;
	frame_evaluator(r, f, &ev);
	value_begin(r);
	slot_source(&ev, &plan->slots[i], &source);
	raw_set(
	    out, &ev, plan->slots[i].shape, plan->slots[i].name, &source, 0);
	return true;
}

/* ---- globals ---- */

bool
value_global(struct value_reader *r, const struct target_thread *thread,
    struct target_module *module, struct dwarf *dwarf,
    const struct dwarf_variable *variable, struct snap_variable *out,
    bt_error_t *e)
{
	struct evaluator ev = {
	    .r = r,
	    .thread = thread,
	    .module = module,
	    .dwarf = dwarf,
	    .bias = module != NULL ? module->bias : 0,
	    .follow = true,
	};
	struct shape *shape = shape_of(r, dwarf, variable->type);
	struct source source;

	if (shape == NULL)
		return bt_fail(e, BT_E_NOMEM, "no room for the type of %s",
		    variable->name != NULL ? variable->name : "a variable");
	*out = (struct snap_variable){.name = "", .type = ""};
	out->name = value_name(r, variable->name);
	value_begin(r);
	value_locate(&ev, &variable->location, value_size(&ev, shape), &source);
	value_read(&ev, shape, &source, 0, 0, out);
	return true;
}

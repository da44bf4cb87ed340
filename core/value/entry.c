/* SPDX-License-Identifier: MIT */
/*
 * DW_OP_entry_value: what a register held when the function was entered. The
 * call site in the caller says what was passed there (DWARF 5, 3.4.2), as an
 * expression in the caller's frame.
 *
 * That is only true when the call site really called this function, and when
 * this function cannot have been entered again by a tail call since: both are
 * checked, and when in doubt the value is unknown.
 *
 * When the call site called another function, that one may have got here by
 * tail calls. If one tail call only leads here, it says what was passed, in
 * terms of its own function's entry values: its frame is gone.
 */
#include "value/entry.h"
#include "expr/opcodes.h"

enum {
	TAIL_FUNCTIONS_MAX = 256, /* functions looked at in search of a loop */
	TAIL_YES = 1,
	TAIL_NO = 2
};

struct tail_site {
	unsigned count; /* sites found */
	const struct dwarf_call_site *site;
	uint64_t function; /* that it is in */
};

/* ---- tail calls ---- */

/* A walk over the functions that can be reached by tail calls. */
struct tail_search {
	uint64_t seen[TAIL_FUNCTIONS_MAX];
	size_t count;
};

static bool
search_add(struct tail_search *s, uint64_t function)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->seen[i] == function)
			return true;
	}
	if (s->count == TAIL_FUNCTIONS_MAX)
		return false;
	s->seen[s->count++] = function;
	return true;
}

/* The function of that linkage name in the module, 0: not defined there. Units
 * name each other's functions only by declarations. */
static uint64_t
function_named(struct evaluator *ev, const char *name)
{
	struct value_reader *r = ev->r;
	uint64_t *place = map_put(
	    &r->functions, (uint64_t)(uintptr_t)name + ev->bias, NULL);
	struct image *images[] = {NULL, NULL};
	struct image_symbol symbol;

	if (place != NULL && *place != 0)
		return *place - 1;
	if (ev->module != NULL) {
		images[0] = target_module_debug(r->target, ev->module);
		images[1] = target_module_image(r->target, ev->module);
	}
	/* Exported ones are found without a walk through a table. */
	if (images[1] == NULL ||
	    !image_symbol_exported(images[1], name, &symbol))
		symbol.value = 0;
	for (unsigned i = 0; i < 2 && symbol.value == 0; i++) {
		if (images[i] == NULL ||
		    image_symbol_named(images[i], name, &symbol) == false)
			symbol.value = 0;
	}
	if (place != NULL)
		*place = symbol.value + 1;
	return symbol.value;
}

static uint64_t
direct_target(struct evaluator *ev, const struct dwarf_call_site *site)
{
	if (site->target_low_pc != 0 || site->target_name == NULL)
		return site->target_low_pc;
	return function_named(ev, site->target_name);
}

/*
 * Breadth first over the tail calls from one function on: counts the sites
 * that go to `target` and keeps the last. False when it cannot be told: a
 * target that is unknown (indirect) may be any function. One in another module
 * (only a name) cannot come back by a tail call that this module's debug
 * information would show, and GDB trusts it.
 */
static bool
search_tails(struct evaluator *ev, uint64_t from, uint64_t target,
    struct tail_site *found)
{
	struct tail_search s = {.count = 0};

	*found = (struct tail_site){0};
	(void)search_add(&s, from);
	for (size_t next = 0; next < s.count; next++) {
		const struct dwarf_call_site *const *sites;
		size_t n = dwarf_tail_calls(ev->dwarf, s.seen[next], &sites);

		for (size_t i = 0; i < n; i++) {
			const struct dwarf_call_site *site = sites[i];

			uint64_t callee;

			if (budget_step(ev->r->budget) == false)
				return false;
			callee = direct_target(ev, site);
			if (callee == 0 && site->target_name == NULL)
				return false;
			if (callee == 0)
				continue;
			if (callee == target) {
				found->count++;
				found->site = site;
				found->function = s.seen[next];
			}
			if (search_add(&s, callee) == false)
				return false;
		}
	}
	return true;
}

static bool
tail_calls_itself(struct evaluator *ev)
{
	struct value_reader *r = ev->r;
	uint64_t function = ev->function->low_pc;
	/* Run-time addresses tell the functions of all modules apart. */
	uint64_t key = function + ev->bias;
	uint64_t *known = map_get(&r->tail_loops, key);
	struct tail_site found;
	bool loops;

	if (known != NULL)
		return *known == TAIL_YES;
	loops = search_tails(ev, function, function, &found) == false ||
	    found.count != 0;
	known = map_put(&r->tail_loops, key, NULL);
	if (known != NULL)
		*known = loops ? TAIL_YES : TAIL_NO;
	return loops;
}

/* ---- the caller's frame ---- */

/* NULL: *why says why there is none. */
static inline const struct unwind_frame *
caller_frame(const struct evaluator *ev, const char **why)
{
	const struct unwind_stack *stack = ev->stack;
	const struct unwind_frame *frame;
	size_t index = ev->index + 1;

	*why = "no caller frame";
	if (stack == NULL || ev->function == NULL ||
	    index >= stack->frames.count)
		return NULL;
	*why = "caller frame left out";
	if (stack->skipped != 0 && index == stack->skipped_at)
		return NULL;
	frame = stack->frames.items[index];
	/* A signal handler was not called; an interrupted frame calls nobody.*/
	*why = "not called";
	if (frame->exact_pc || frame->signal_frame || frame->module == NULL)
		return NULL;
	return frame;
}

static bool
caller_evaluator(struct evaluator *ev, struct evaluator *caller, bt_error_t *e)
{
	const char *why;
	const struct unwind_frame *frame = caller_frame(ev, &why);
	const struct dwarf_plan *plan;

	if (frame == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "%s", why);
	*caller = (struct evaluator){
	    .r = ev->r,
	    .thread = ev->thread,
	    .stack = ev->stack,
	    .frame = frame,
	    .index = ev->index + 1,
	    .module = frame->module,
	    .bias = frame->module->bias,
	    .nesting = ev->nesting,
	    .entry_depth = ev->entry_depth + 1,
	};
	caller->dwarf = frame->module == ev->module
	    ? ev->dwarf
	    : ev->r->dwarf_of(ev->r->dwarf_ctx, frame->module);
	if (caller->dwarf == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "caller has no DWARF");
	caller->pc = unwind_lookup_pc(frame) - caller->bias;
	plan = dwarf_plan_at(caller->dwarf, caller->pc, false);
	if (plan != NULL && plan->n_scopes > 0)
		caller->function = &plan->scopes[plan->n_scopes - 1];
	return true;
}

static bool
same_name(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The register that DW_OP_regN, DW_OP_regx or, for vector registers,
 * DW_OP_regval_type alone names; -1: something else. */
static int
register_of(struct view v)
{
	uint8_t op = view_u8(&v);
	uint64_t number;

	if (view_ok(&v) && op >= DW_OP_reg0 && op <= DW_OP_reg31 &&
	    view_end(&v))
		return op - DW_OP_reg0;
	if (op != DW_OP_regx && op != DW_OP_regval_type &&
	    op != DW_OP_GNU_regval_type)
		return -1;
	number = view_uleb(&v);
	if (op != DW_OP_regx)
		(void)view_uleb(&v); /* the type */
	return view_ok(&v) && view_end(&v) && number < 256 ? (int)number : -1;
}

static bool
same_place(struct view a, struct view b)
{
	int reg = register_of(a);

	if (reg >= 0)
		return register_of(b) == reg;
	return a.size == b.size && a.size != 0 &&
	    memcmp(a.data, b.data, a.size) == 0;
}

/* What the site called, as an address of ev's module; 0: not known, or
 * elsewhere. */
static uint64_t
site_target(struct evaluator *ev, struct evaluator *caller,
    const struct dwarf_call_site *site)
{
	uint64_t target;

	if (caller->dwarf == ev->dwarf && site->target_low_pc != 0)
		return site->target_low_pc;
	if (site->target_name != NULL)
		return function_named(ev, site->target_name);
	if (site->target.size != 0 &&
	    value_evaluate(
		caller, site->unit, site->target, NULL, &target, NULL))
		return target - ev->bias;
	return 0;
}

/* The function that ev's was tail-called by: nothing of its frame is left, but
 * it was called by the same caller. */
static bool
tail_caller(struct evaluator *ev, uint64_t first, struct evaluator *out,
    const struct dwarf_call_site **site)
{
	const struct dwarf_plan *plan;
	struct tail_site found;

	if (first == 0 ||
	    search_tails(ev, first, ev->function->low_pc, &found) == false ||
	    found.count != 1)
		return false;
	plan = dwarf_plan_at(ev->dwarf, found.function, false);
	if (plan == NULL || plan->n_scopes == 0)
		return false;
	*out = *ev;
	out->function = &plan->scopes[plan->n_scopes - 1];
	out->frame = NULL;
	out->base_state = BASE_UNKNOWN;
	out->pc = found.site->return_pc - 1;
	out->entry_depth++;
	*site = found.site;
	return true;
}

/* The site that called ev's function, and what to evaluate its parameters in:
 * physical is its caller. *same: it is whatever the frames hold. */
static bool
entry_site(struct evaluator *ev, struct evaluator *physical,
    struct evaluator *caller, const struct dwarf_call_site **site, bool *same,
    bt_error_t *e)
{
	uint64_t target;

	*same = false;
	*site = dwarf_call_site_at(
	    physical->dwarf, physical->frame->pc - physical->bias);
	if (*site == NULL || tail_calls_itself(ev))
		return bt_fail(e, BT_E_NOTFOUND, "call site is not known");
	/* A function may have several names: addresses decide, then names. */
	target = site_target(ev, physical, *site);
	if (target == ev->function->low_pc ||
	    (target == 0 &&
		(same_name((*site)->target_name, ev->function->linkage_name) ||
		    same_name((*site)->target_name, ev->function->name)))) {
		*same = (physical->dwarf == ev->dwarf &&
			    (*site)->target_low_pc != 0) ||
		    (*site)->target_name != NULL;
		*caller = *physical;
		return true;
	}
	if (tail_caller(ev, target, caller, site))
		return true;
	return bt_fail(e, BT_E_NOTFOUND, "called another function");
}

/* What a parameter is passed in: a place, or nothing at all, and then the DIE
 * tells which parameter of the callee is meant. */
struct passed {
	struct view place;
	struct dwarf_die parameter;
};

/* block: of an entry value, or DW_OP_GNU_parameter_ref; in the unit that the
 * callee's expression is in. */
static struct passed
passed_of(struct evaluator *ev, struct view block)
{
	struct view v = block;
	struct passed p = {.place = block};

	if (ev->unit != NULL && view_u8(&v) == DW_OP_GNU_parameter_ref)
		p.parameter = dwarf_die_in_unit(ev->unit, view_u32(&v));
	return p;
}

static bool
is_passed(const struct dwarf_call_parameter *p, const struct passed *wanted)
{
	if (p->value.size == 0)
		return false;
	if (wanted->parameter.unit != NULL)
		return p->parameter.unit == wanted->parameter.unit &&
		    p->parameter.offset == wanted->parameter.offset;
	return p->location.size != 0 && same_place(p->location, wanted->place);
}

/* NULL: it is not passed by the site. */
static const struct dwarf_call_parameter *
site_parameter(const struct dwarf_call_site *site, const struct passed *wanted)
{
	for (unsigned i = 0; i < site->n_parameters; i++)
		if (is_passed(&site->parameters[i], wanted))
			return &site->parameters[i];
	return NULL;
}

/* The value that the call site passes. */
static bool
site_value(struct evaluator *ev, const struct dwarf_call_site *site,
    const struct passed *wanted, uint64_t *out, bt_error_t *e)
{
	const struct dwarf_call_parameter *p = site_parameter(site, wanted);

	if (p == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "not passed by the call site");
	return value_evaluate(ev, site->unit, p->value, NULL, out, e);
}

/* ---- sites that are known ---- */

/* A thousand threads were called from the same places. Each has two to be in.
 */
static struct site_entry *
site_pair(const struct evaluator *ev, const struct unwind_frame *caller,
    struct view block)
{
	uint64_t key = map_mix(caller->pc ^
	    (uint64_t)(uintptr_t)block.data << 20 ^
	    (uint64_t)(uintptr_t)ev->function);

	return &ev->r->sites[key & (VALUE_SITES - 2)];
}

static inline bool
is_entry(const struct site_entry *known, const struct evaluator *ev,
    const struct unwind_frame *caller, struct view block)
{
	return known->function == ev->function &&
	    known->return_pc == caller->pc && known->place == block.data;
}

/* NULL: not known. */
static const struct site_entry *
site_known(const struct evaluator *ev, const struct unwind_frame *caller,
    struct view block)
{
	const struct site_entry *pair = site_pair(ev, caller, block);

	for (int i = 0; i < 2; i++)
		if (is_entry(&pair[i], ev, caller, block))
			return &pair[i];
	return NULL;
}

/* The forms of value_quick, as far as they need no frame base and no other
 * entry value. */
static void
site_form(const struct evaluator *ev, struct site_entry *known)
{
	struct view v = known->parameter->value;
	unsigned op = view_u8(&v);

	known->how = SITE_EXPRESSION;
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
		known->reg = arch_place(ev->r->arch, op - DW_OP_breg0);
		known->offset = (uint64_t)view_sleb(&v);
	} else if (!expr_constant(op, &v, &known->offset)) {
		return;
	}
	if (!view_ok(&v) ||
	    (!view_end(&v) &&
		(view_u8(&v) != DW_OP_stack_value || !view_end(&v))))
		return;
	known->how = op >= DW_OP_breg0 && op <= DW_OP_breg31 ? SITE_REGISTER
							     : SITE_CONSTANT;
}

static void
site_remember(const struct evaluator *ev, const struct unwind_frame *caller,
    struct view block, const struct dwarf_call_site *site,
    const struct dwarf_call_parameter *parameter)
{
	struct site_entry *pair = site_pair(ev, caller, block);

	/* The one that came last is first. */
	pair[1] = pair[0];
	pair[0] = (struct site_entry){.function = ev->function,
	    .return_pc = caller->pc,
	    .place = block.data,
	    .unit = site->unit,
	    .parameter = parameter};
	site_form(ev, &pair[0]);
}

bool
entry_known(const struct evaluator *ev, struct view block, uint64_t *out)
{
	const char *why;
	const struct unwind_frame *frame = caller_frame(ev, &why);
	const struct site_entry *known;
	uint64_t base = 0;

	if (frame == NULL || ev->r->runs_left == 0)
		return false;
	known = site_known(ev, frame, block);
	if (known == NULL || known->how == SITE_EXPRESSION ||
	    (known->how == SITE_REGISTER &&
		!regs_get(&frame->regs, known->reg, &base)))
		return false;
	ev->r->runs_left--;
	*out = base + known->offset;
	return true;
}

bool
entry_compute(
    struct evaluator *ev, struct view block, uint64_t *out, bt_error_t *e)
{
	struct passed wanted = passed_of(ev, block);
	const struct dwarf_call_parameter *parameter;
	const struct dwarf_call_site *site;
	struct evaluator physical, caller;
	const struct site_entry *known;
	bool same;

	if (caller_evaluator(ev, &physical, e) == false)
		return false;
	known = site_known(ev, physical.frame, block);
	if (known != NULL)
		return value_evaluate(&physical, known->unit,
		    known->parameter->value, NULL, out, e);
	if (entry_site(ev, &physical, &caller, &site, &same, e) == false)
		return false;
	parameter = site_parameter(site, &wanted);
	if (same && parameter != NULL)
		site_remember(ev, physical.frame, block, site, parameter);
	return site_value(&caller, site, &wanted, out, e);
}

/*
 * A register that the callee was free to change is lost after the call, but
 * the frame's own call site may tell what was passed in it: at the pc that
 * locations are looked up for (the call itself) that is the register's value.
 */
bool
value_at_call(struct evaluator *ev, unsigned number, uint64_t *out)
{
	uint8_t place[] = {(uint8_t)(DW_OP_reg0 + number)};
	struct passed wanted = {.place = view_of(place, sizeof(place))};
	const struct unwind_frame *frame = ev->frame;
	const struct dwarf_call_site *site;
	bool known;

	/* What was passed is not told by other lost registers. */
	if (frame == NULL || frame->exact_pc || ev->dwarf == NULL ||
	    ev->module == NULL || number > DW_OP_reg31 - DW_OP_reg0 ||
	    ev->at_call)
		return false;
	site = dwarf_call_site_at(ev->dwarf, frame->pc - ev->bias);
	if (site == NULL)
		return false;
	ev->at_call = true;
	known = site_value(ev, site, &wanted, out, NULL);
	ev->at_call = false;
	return known;
}

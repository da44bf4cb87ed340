/* SPDX-License-Identifier: MIT */
/*
 * Registers that no call frame information mentions, because their callee need
 * not keep them, but which it has left alone so far: what they held at the call
 * they hold still. That is shown by reading code: from the function's entry,
 * which the call itself names, all ways are followed to where it stands now,
 * and what is written on any of them is lost. A way that cannot be followed (a
 * jump through a register), or a doubt, loses everything. The crash of a small
 * function that got a bad argument is the case that matters.
 *
 * Debuggers either take such a register for unchanged without looking (GDB), or
 * for lost (LLDB).
 */
#include "unwind/unwinder.h"

#include "target/arch/insn.h"

enum {
	CALL_BYTES = 8,
	/* Of one callee. What is larger hardly leaves a register alone. */
	INSNS_MAX = 1024,
	/* Frames between the register's and the one that still has it. */
	CALLEES_MAX = 8,
	/* Functions that called functions call, which are read, too. */
	DEPTH_MAX = 6,
	/* What an instruction's effect tells of: general registers and xmm0 to
	 * xmm15. Of others (x87) nobody knows who wrote them. */
	REGISTERS = 33,
	CHUNK = 256
};

/* Of a whole function: it never returns; it does not return like others.
 * Register numbers stay below. */
static const uint64_t no_return = UINT64_C(1) << 62;
static const uint64_t odd = UINT64_C(1) << 61;
static const uint64_t everything = (UINT64_C(1) << 61) - 1;

/* What is known when a place is reached. */
struct way {
	uint64_t written; /* what may have been */
	int64_t stack;	  /* the stack pointer, from that at the entry */
	bool stack_known;
};

struct node {
	bt_addr_t pc;
	struct insn_effect effect;
	struct way before; /* of all ways to it */
	bool queued;
};

struct reading {
	struct unwinder *u;
	bt_addr_t goal; /* where the callee stands */
	bool exact;	/* before the instruction there, else behind a call */
	bool whole;	/* all ways to the end: the goal is to return */
	unsigned depth; /* calls between the callee and this function */
	bool reached, failed, lands;
	bool odd;	   /* it does not return like others */
	bool met_odd;	   /* nor may what it calls */
	uint64_t written;  /* on the ways to the goal */
	struct map places; /* pc -> index of its node, plus one */
	VEC(struct node) nodes;
	VEC(uint32_t) queue;
	/* Code as it was last read. */
	bt_addr_t chunk;
	size_t chunk_size;
	uint8_t bytes[CHUNK];
};

static const uint8_t *
code_at(struct reading *r, bt_addr_t pc, size_t *size)
{
	uint64_t offset = pc - r->chunk;

	if (offset >= r->chunk_size ||
	    r->chunk_size - offset < INSN_BYTES_MAX) {
		r->chunk = pc;
		r->chunk_size = code_read(r->u, pc, r->bytes, CHUNK);
		offset = 0;
	}
	*size = r->chunk_size - offset;
	return r->bytes + offset;
}

static struct node *
node_new(struct reading *r, bt_addr_t pc)
{
	struct node *n = NULL;
	const uint8_t *code;
	size_t size;
	uint64_t *place;

	if (target_is_executable(r->u->t, pc))
		n = vec_push(&r->nodes);
	if (n == NULL)
		return NULL;
	*n = (struct node){.pc = pc};
	code = code_at(r, pc, &size);
	place = map_put(&r->places, pc, NULL);
	if (place == NULL ||
	    insn_effect_at(code, size, pc, &n->effect) == false)
		return NULL;
	*place = r->nodes.count;
	return n;
}

/* Adds another way to the place; false: it brings nothing new. */
static bool
join(struct way *known, const struct way *more)
{
	bool differs = known->stack_known &&
	    (more->stack_known == false || more->stack != known->stack);

	if (!differs && (more->written & ~known->written) == 0)
		return false;
	known->written |= more->written;
	known->stack_known = known->stack_known && !differs;
	return true;
}

/* Execution may come to pc in that way. */
static void
come_to(struct reading *r, bt_addr_t pc, const struct way *way)
{
	uint64_t *place = map_get(&r->places, pc);
	struct node *n = place != NULL ? &r->nodes.items[*place - 1]
				       : node_new(r, pc);
	uint32_t *queued;

	if (n == NULL) {
		r->failed = true;
		return;
	}
	if (place == NULL)
		n->before = *way;
	else if (join(&n->before, way) == false)
		return;
	if (n->queued)
		return;
	queued = vec_push(&r->queue);
	if (queued == NULL) {
		r->failed = true;
		return;
	}
	*queued = (uint32_t)(n - r->nodes.items);
	n->queued = true;
}

/* A function ends behind a call that does not return. Whether it does or not,
 * an exception may come out of it. */
static void
after_call(struct reading *r, bt_addr_t pc, bt_addr_t next, bool returns,
    const struct way *way)
{
	struct target_module *module;
	struct cfi_fde fde;
	bool debug_frame;

	if (rules_fde(r->u, pc, &fde, &module, &debug_frame)) {
		r->lands = r->lands || fde.lands;
		returns = returns && next < fde.end + module->bias;
	}
	if (returns)
		come_to(r, next, way);
}

/* A linkage stub: nobody but the dynamic linker writes to its slot. */
static bool
is_stub(struct unwinder *u, bt_addr_t pc)
{
	struct target_module *m = target_module_at(u->t, pc);
	struct image *image = m != NULL ? target_module_image(u->t, m) : NULL;
	const char *name;

	return image != NULL && image_plt_name(image, pc - m->bias, &name);
}

/* What the program can write to may have held something else then. */
static bool
is_constant(struct unwinder *u, bt_addr_t slot)
{
	const struct target_mapping *m = target_mapping_at(u->t, slot);

	return m != NULL && (m->perms & TARGET_W) == 0;
}

/* Where a jump or a call leads; `on_the_way` is what may be written between. */
static bool
leads_to(struct reading *r, bt_addr_t pc, const struct insn_effect *e,
    bt_addr_t *target, uint64_t *on_the_way)
{
	*target = e->target;
	*on_the_way = e->to == INSN_TO_SLOT ? insn_stub_changes() : 0;
	return e->to == INSN_TO_ADDRESS ||
	    (e->to == INSN_TO_SLOT &&
		(is_constant(r->u, e->target) || is_stub(r->u, pc)) &&
		target_read_u64(r->u->t, e->target, target));
}

static void
follow_jump(struct reading *r, bt_addr_t pc, const struct insn_effect *e,
    struct way way)
{
	uint64_t on_the_way;
	bt_addr_t target;

	if (leads_to(r, pc, e, &target, &on_the_way)) {
		way.written |= on_the_way;
		come_to(r, target, &way);
	} else {
		r->failed = true;
	}
}

static uint64_t written_from(struct reading *, bt_addr_t);

static bool
remember(struct unwinder *u, uint64_t key, uint64_t mask)
{
	uint64_t *place = map_put(&u->written, key, NULL);

	if (place != NULL)
		*place = mask;
	return place != NULL;
}

/* What the function may have changed when it is back, or no_return. */
static uint64_t
whole_function(struct reading *r, bt_addr_t entry)
{
	struct reading callee = {
	    .u = r->u, .whole = true, .depth = r->depth + 1};
	uint64_t key = map_mix(entry), mask;
	uint64_t *place = map_get(&r->u->written, key);

	if (place != NULL)
		return *place;
	/* What calls itself finds this. */
	if (remember(r->u, key, everything) == false)
		return everything;
	mask = written_from(&callee, entry);
	remember(r->u, key, mask);
	return mask;
}

static void
follow_call(struct reading *r, bt_addr_t pc, const struct insn_effect *e,
    struct way way)
{
	uint64_t on_the_way = 0, changes = everything;
	bt_addr_t entry;

	if (r->depth == DEPTH_MAX)
		r->met_odd = true;
	else if (leads_to(r, pc, e, &entry, &on_the_way))
		changes = whole_function(r, entry);
	r->met_odd = r->met_odd || (changes & odd) != 0;
	way.written |= (changes | on_the_way) & insn_call_changes();
	after_call(r, pc, pc + e->length, (changes & no_return) == 0, &way);
}

/*
 * A function that returns twice (setjmp), elsewhere (a thunk in the place of an
 * indirect jump) or on another stack (longjmp, swapcontext): there are more
 * ways than its jumps tell. It looks at its return address, moves the stack
 * pointer past it, or sets that from nowhere.
 */
static bool
is_odd(const struct insn_effect *e, const struct way *before)
{
	if (e->stack == INSN_STACK_SWITCHED)
		return true;
	if (e->flow == INSN_FLOW_RETURN)
		return before->stack_known && before->stack != 0;
	return e->has_slot &&
	    e->slot == (before->stack_known ? -before->stack : 0);
}

static struct way
way_behind(const struct insn_effect *e, const struct way *before)
{
	struct way way = *before;

	way.written |= e->written;
	if (e->stack == INSN_STACK_MOVED)
		way.stack += e->stack_change;
	else if (e->stack != INSN_STACK_KEPT)
		way.stack_known = false;
	return way;
}

/* Whether this is where the way was to lead; what was written until then. */
static void
look_for_goal(struct reading *r, const struct node *n, uint64_t written)
{
	const struct insn_effect *e = &n->effect;

	if (r->whole) {
		if (e->flow != INSN_FLOW_RETURN)
			return;
	} else if (r->exact
		? n->pc != r->goal
		: e->flow != INSN_FLOW_CALL || n->pc + e->length != r->goal) {
		return;
	} else if (r->exact == false) {
		written = n->before.written;
	}
	/* Else itself as well: a string instruction stops in the middle. */
	r->reached = true;
	r->written |= written;
}

static void
go_on_from(struct reading *r, const struct node *n)
{
	const struct insn_effect e = n->effect;
	struct way way = way_behind(&e, &n->before);
	bt_addr_t pc = n->pc, next = pc + e.length;

	look_for_goal(r, n, way.written);
	if (r->whole && is_odd(&e, &n->before))
		r->odd = r->failed = true;
	switch (e.flow) {
	case INSN_FLOW_CALL:
		follow_call(r, pc, &e, way);
		break;
	case INSN_FLOW_CONDITIONAL:
		come_to(r, next, &way);
		follow_jump(r, pc, &e, way);
		break;
	case INSN_FLOW_JUMP:
		follow_jump(r, pc, &e, way);
		break;
	case INSN_FLOW_RETURN:
	case INSN_FLOW_TRAP:
		break;
	default:
		come_to(r, next, &way);
		break;
	}
}

/* What may be written on the ways from a function's entry to the goal. */
static uint64_t
written_from(struct reading *r, bt_addr_t entry)
{
	const struct way begin = {.stack_known = true};

	vec_init(&r->nodes, INSNS_MAX);
	vec_init(&r->queue, INSNS_MAX);
	map_init(&r->places, INSNS_MAX);
	come_to(r, entry, &begin);
	while (r->queue.count > 0 && r->failed == false) {
		struct node *n =
		    &r->nodes.items[r->queue.items[--r->queue.count]];

		n->queued = false;
		if (budget_step(r->u->budget) == false)
			r->failed = true;
		else
			go_on_from(r, n);
	}
	map_deinit(&r->places);
	vec_deinit(&r->queue);
	vec_deinit(&r->nodes);
	/* An exception leaves a call for a place that no jump leads to, whence
	 * a function may return as well. */
	if (r->lands)
		r->written |= insn_call_changes();
	if (r->failed)
		return r->odd ? everything | odd : everything;
	if (r->reached)
		return r->written;
	return r->whole && r->lands == false && r->met_odd == false
	    ? no_return
	    : everything;
}

/* The function that the call before a return address entered. */
static bool
entered(struct unwinder *u, bt_addr_t return_address, bt_addr_t *entry)
{
	uint8_t code[CALL_BYTES];
	size_t size = code_before(u, return_address, code, sizeof(code));

	switch (arch_call_before(code, size, return_address, entry)) {
	case ARCH_CALL_DIRECT:
		return true;
	case ARCH_CALL_SLOT:
		return is_constant(u, *entry) &&
		    target_read_u64(u->t, *entry, entry);
	default:
		return false;
	}
}

static uint64_t
written_by(struct unwinder *u, const struct unwind_frame *caller,
    const struct unwind_frame *callee)
{
	uint64_t key = map_mix(map_mix(caller->pc) ^ callee->pc) ^
	    callee->exact_pc;
	uint64_t *place = map_get(&u->written, key), mask;
	struct reading r = {
	    .u = u, .goal = callee->pc, .exact = callee->exact_pc};
	bt_addr_t entry;

	if (place != NULL)
		return *place;
	mask = entered(u, caller->pc, &entry) ? written_from(&r, entry)
					      : everything;
	remember(u, key, mask);
	return mask;
}

/* Who left by a jump has no frame any more: its ways are part of those that
 * lead from the entry of what was called to where its successor stands. */
static size_t
callee_of(const struct unwind_stack *stack, size_t index)
{
	do
		index--;
	while (
	    index > 0 && stack->frames.items[index]->trust == UNWIND_TAILCALL);
	return index;
}

bool
unwind_untouched(struct unwinder *u, const struct unwind_stack *stack,
    size_t index, unsigned number, size_t *holder)
{
	struct unwind_frame *const *frames = stack->frames.items;
	size_t last = index > CALLEES_MAX ? index - CALLEES_MAX : 0, below;

	if (index >= stack->frames.count || number >= REGISTERS ||
	    !arch_is_x86_64(target_arch(u->t)))
		return false;
	for (; index > last; index = below) {
		const struct unwind_frame *caller = frames[index], *callee;

		below = callee_of(stack, index);
		callee = frames[below];
		/* Whoever was interrupted called nobody. */
		if (caller->exact_pc || caller->trust == UNWIND_SCAN ||
		    callee->signal_frame ||
		    (stack->skipped != 0 && index == stack->skipped_at) ||
		    (written_by(u, caller, callee) >> number & 1) != 0)
			return false;
		if (below == 0 ||
		    (number < ARCH_X86_64_REGS &&
			(callee->regs.known >> number & 1) != 0)) {
			*holder = below;
			return true;
		}
	}
	return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Registers and variables of any frame. The snapshot keeps only pc and sp of
 * a frame; a module that wants more makes its thread be unwound again, which
 * costs some nanoseconds a frame. Variables come from the snapshot as they
 * are.
 */
#include "module/module_private.h"

enum { UNWIND_STEPS = 20 * 1000 * 1000, UNWIND_FRAMES = 65536 };

struct unwinder *
module_unwinder(struct module_host *host)
{

	if (host->unwinder == NULL && host->target != NULL) {
		budget_init(&host->unwind_budget, UNWIND_STEPS, 0);
		host->unwinder = unwinder_create(
		    host->target, &host->unwind_budget);
		if (host->unwinder != NULL)
			unwind_stack_init(&host->stack, UNWIND_FRAMES);
	}
	return host->unwinder;
}

void
module_unwinder_end(struct module_host *host)
{

	if (host->unwinder == NULL)
		return;
	unwind_stack_deinit(&host->stack);
	unwinder_destroy(host->unwinder);
	host->unwinder = NULL;
}

/* The unwound frame that a frame of the snapshot was made from: inlined frames
 * and what was left out make the indices differ, sp and pc do not. */
static const struct unwind_frame *
physical_frame(const ptrace_frame_t *f)
{
	ptrace_thread_t *thread = f->thread;
	struct module_host *host = thread->host;
	const struct snap_frame *s = module_snap_frame(f);
	struct unwinder *u = module_unwinder(host);

	if (u == NULL || thread->target == NULL || s->has_sp == false)
		return NULL;
	if (host->unwound != thread) {
		unwind_thread(u, thread->target, &host->stack);
		host->unwound = thread;
	}
	for (size_t i = 0; i < host->stack.frames.count; i++) {
		const struct unwind_frame *frame = &host->stack.frames.items[i];

		if (frame->pc == s->ip && frame->regs.value[ARCH_SP] == s->sp)
			return frame;
	}
	return NULL;
}

bool
ptrace_frame_register(ptrace_frame_t *f, int32_t number, uint64_t *out)
{
	const struct unwind_frame *frame = physical_frame(f);

	if (number == PTRACE_REGISTER_SP)
		number = ARCH_SP;
	else if (number == PTRACE_REGISTER_PC)
		number = ARCH_PC;
	return frame != NULL && number >= 0 &&
	    regs_get(&frame->regs, (unsigned)number, out);
}

bool
ptrace_frame_cfa(ptrace_frame_t *f, bt_addr_t *out)
{
	const struct unwind_frame *frame = physical_frame(f);

	if (frame == NULL || frame->cfa_known == false)
		return false;
	*out = frame->cfa;
	return true;
}

uint32_t
ptrace_frame_n_variables(ptrace_frame_t *f)
{

	return module_snap_frame(f)->n_variables;
}

/* The opaque variable of the interface is the model's. */
static const ptrace_variable_t *
handle_of(const struct snap_variable *v)
{

	return (const ptrace_variable_t *)v;
}

static const struct snap_variable *
variable_of(const ptrace_variable_t *v)
{

	return (const struct snap_variable *)v;
}

const ptrace_variable_t *
ptrace_frame_variable(ptrace_frame_t *f, uint32_t i)
{
	const struct snap_frame *s = module_snap_frame(f);

	return i < s->n_variables ? handle_of(&s->variables[i]) : NULL;
}

static uint32_t
kind_of(const struct snap_variable *v)
{

	switch (v->kind) {
	case SNAP_INT:
	case SNAP_UINT:
	case SNAP_BOOL:
	case SNAP_CHAR:
	case SNAP_ENUM:
		return PTRACE_VARIABLE_NUMBER;
	case SNAP_POINTER:
	case SNAP_FUNCTION:
		return PTRACE_VARIABLE_POINTER;
	case SNAP_STRUCT:
	case SNAP_UNION:
		return PTRACE_VARIABLE_STRUCT;
	case SNAP_STRING:
	case SNAP_ARRAY:
		return PTRACE_VARIABLE_ARRAY;
	default:
		return PTRACE_VARIABLE_OTHER;
	}
}

bool
ptrace_variable_info(const ptrace_variable_t *handle, ptrace_variable_info_t *o)
{
	const struct snap_variable *v = variable_of(handle);

	if (o->size < offsetof(ptrace_variable_info_t, reserved))
		return false;
	o->kind = kind_of(v);
	o->parameter = (v->flags & SNAP_VAR_PARAMETER) != 0;
	o->has_address = (v->flags & SNAP_VAR_ADDRESS) != 0;
	o->has_value = (v->flags & SNAP_VAR_VALUE) != 0 &&
	    (o->kind == PTRACE_VARIABLE_NUMBER ||
		o->kind == PTRACE_VARIABLE_POINTER);
	o->n_children = v->n_children;
	o->name = v->name;
	o->type = v->type;
	o->address = o->has_address ? v->address : 0;
	o->value = o->has_value ? v->value.u : 0;
	o->length = (v->flags & SNAP_VAR_LENGTH) != 0 ? v->length
	    : v->kind == SNAP_STRING		      ? v->string_size
						      : v->n_children;
	return true;
}

const ptrace_variable_t *
ptrace_variable_child(const ptrace_variable_t *handle, uint32_t i)
{
	const struct snap_variable *v = variable_of(handle);

	return i < v->n_children ? handle_of(&v->children[i]) : NULL;
}

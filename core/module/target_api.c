/* SPDX-License-Identifier: MIT */
/*
 * include/ptrace/target.h over core/target: the same facts, in structs that
 * may grow without breaking a module compiled last year.
 */
#include "module/module_private.h"
#include "target/arch/insn.h"

_Static_assert((int)PTRACE_PERM_READ == (int)TARGET_R &&
	(int)PTRACE_PERM_WRITE == (int)TARGET_W &&
	(int)PTRACE_PERM_EXEC == (int)TARGET_X,
    "permissions are the same bits in the interface and in the target");
_Static_assert((int)PTRACE_FLOW_TRAP == (int)INSN_FLOW_TRAP &&
	(int)PTRACE_FLOW_RETURN == (int)INSN_FLOW_RETURN,
    "flow kinds are the same in the interface and in the decoder");
_Static_assert((int)PTRACE_KIND_HALT == (int)INSN_KIND_HALT &&
	(int)PTRACE_KIND_FLOAT == (int)INSN_KIND_FLOAT,
    "instruction kinds are the same in the interface and in the decoder");
_Static_assert((int)PTRACE_OPERANDS_MAX == (int)INSN_OPERANDS_MAX,
    "all operands of an instruction fit");

/* A struct of the caller's may be older and shorter than ours (its size says
 * so), never shorter than what version 1 had. */
#define FITS(OUT, TYPE) ((OUT)->size >= offsetof(TYPE, reserved))

void
module_signal(const struct target_signal *s, ptrace_signal_t *out)
{

	out->number = s->number;
	out->code = s->code;
	out->has_info = s->has_info;
	out->has_address = s->has_address;
	out->address = s->address;
	out->has_sender = s->has_sender;
	out->sender_pid = s->sender_pid;
	out->sender_uid = s->sender_uid;
}

bool
ptrace_target_signal(ptrace_target_t *t, ptrace_signal_t *out)
{
	const struct target_signal *s = target_signal(t->host->target);

	if (FITS(out, ptrace_signal_t) == false || s == NULL || !s->present)
		return false;
	module_signal(s, out);
	return true;
}

int32_t
ptrace_target_pid(ptrace_target_t *t)
{

	return target_process(t->host->target)->pid;
}

bool
ptrace_target_read(ptrace_target_t *t, bt_addr_t address, void *out,
    size_t size, bt_error_t *e)
{

	return target_read_exact(t->host->target, address, out, size, e);
}

size_t
ptrace_target_read_some(
    ptrace_target_t *t, bt_addr_t address, void *out, size_t size)
{

	return target_read(t->host->target, address, out, size);
}

size_t
ptrace_target_view(ptrace_target_t *t, bt_addr_t address, size_t size,
    const unsigned char **out)
{

	return target_view(t->host->target, address, size, out);
}

void
ptrace_target_stream(ptrace_target_t *t, bt_addr_t address, size_t size)
{

	target_stream(t->host->target, address, size);
}

bool
ptrace_target_live(ptrace_target_t *t)
{

	const struct target_process *p = target_process(t->host->target);

	return p->live && p->frozen == false;
}

bool
module_fill_mapping(const struct target_mapping *m, ptrace_mapping_t *out)
{

	if (m == NULL || FITS(out, ptrace_mapping_t) == false)
		return false;
	out->permissions = m->perms;
	out->start = m->start;
	out->end = m->end;
	out->offset = m->offset;
	out->path = m->path;
	out->dumped = m->dumped;
	return true;
}

bool
ptrace_target_mapping(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out)
{

	return module_fill_mapping(
	    target_mapping_at(t->host->target, address), out);
}

bool
ptrace_target_mapping_below(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out)
{
	const struct target_mapping *all;
	size_t low = 0, high = target_mappings(t->host->target, &all);

	/* The last mapping that starts at or below the address. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && module_fill_mapping(&all[low - 1], out);
}

bool
ptrace_target_canonical(ptrace_target_t *t, bt_addr_t address)
{

	(void)t;
	return arch_is_canonical(address, false);
}

const char *
ptrace_target_symbol(ptrace_target_t *t, bt_addr_t address, bt_addr_t *start)
{
	struct target_module *module = target_module_at(
	    t->host->target, address);
	struct image_symbol symbol;
	struct image *image;
	bt_addr_t place;

	if (module == NULL)
		return NULL;
	if (start == NULL)
		start = &place;
	image = target_module_debug(t->host->target, module);
	if (image == NULL)
		image = target_module_image(t->host->target, module);
	if (image == NULL ||
	    !image_symbol_at(image, address - module->bias, &symbol))
		return module_data_symbol(t->host, address, start);
	*start = symbol.value + module->bias;
	return symbol.name;
}

static bool
get_register(const struct arch_thread_regs *regs, int32_t number, uint64_t *out)
{

	if (number == PTRACE_REGISTER_THREAD_POINTER)
		return arch_thread_pointer(regs, out);
	if (number == PTRACE_REGISTER_SP)
		number = ARCH_SP;
	else if (number == PTRACE_REGISTER_PC)
		number = ARCH_PC;
	else if (!arch_is_x86_64(regs->arch))
		return false; /* the numbers are x86-64's */
	return number >= 0 && regs_get(&regs->regs, (unsigned)number, out);
}

bool
ptrace_thread_register(ptrace_thread_t *thread, int32_t number, uint64_t *out)
{
	const struct target_thread *t = thread->target;

	return t != NULL && t->has_regs && get_register(&t->regs, number, out);
}

bool
ptrace_context_register(
    const ptrace_context_t *c, int32_t number, uint64_t *out)
{

	return get_register(&c->regs, number, out);
}

static void
fill_operand(const struct insn_operand *in, ptrace_operand_t *out)
{

	out->read = in->read;
	out->write = in->write;
	out->implicit = in->implicit;
	out->effective_known = in->effective_known;
	out->base_known = in->base_known;
	out->index_known = in->index_known;
	out->segment_relative = in->segment_relative;
	out->scale = in->scale;
	out->align = in->align;
	out->lanes = in->lanes;
	out->base = in->base;
	out->index = in->index;
	out->access_size = in->size;
	out->displacement = in->displacement;
	out->effective = in->effective;
	out->base_value = in->base_value;
	out->index_value = in->index_value;
	memcpy(out->text, in->text, sizeof(out->text));
}

_Static_assert(sizeof(((ptrace_operand_t *)0)->text) ==
	sizeof(((struct insn_operand *)0)->text),
    "operand text fits exactly");
_Static_assert(sizeof(((ptrace_instruction_t *)0)->text) ==
	sizeof(((struct insn *)0)->text),
    "instruction text fits exactly");

static void
fill_instruction(
    const struct insn *in, bt_addr_t address, ptrace_instruction_t *out)
{

	out->length = in->length;
	out->flow = in->flow;
	out->kind = in->kind;
	out->divisor_size = in->divisor_size;
	out->divisor_known = in->divisor_known;
	out->divisor = in->divisor;
	out->repeat = in->repeat;
	out->written = in->written;
	out->loads = in->loads;
	out->source = in->source;
	out->added = in->added;
	out->privileged = in->privileged;
	out->target_known = in->target_known;
	out->address = address;
	out->target = in->target;
	out->target_register = in->target_register;
	out->target_operand = in->target_operand;
	out->n_operands = in->n_operands;
	for (unsigned i = 0; i < in->n_operands; i++)
		fill_operand(&in->operands[i], &out->operands[i]);
	memcpy(out->text, in->text, sizeof(out->text));
}

bool
module_reads_code(const struct module_host *host)
{
	return arch_is_x86_64(target_arch(host->target));
}

bool
module_decode_raw(struct module_host *host, const struct arch_thread_regs *regs,
    struct insn *out, bt_error_t *e)
{
	uint8_t code[INSN_BYTES_MAX];
	uint64_t pc;
	size_t got;

	if (!module_reads_code(host))
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "instructions of %s are not read",
		    target_arch(host->target)->name);
	if (!regs_get(&regs->regs, ARCH_PC, &pc))
		return bt_fail(e, BT_E_NOTFOUND, "thread has no registers");
	got = target_read(host->target, pc, code, sizeof(code));
	if (got == 0)
		return bt_fail_fault(e, pc, "code at 0x%llx is not readable",
		    (unsigned long long)pc);
	if (insn_decode(code, got, pc, regs, &regs->regs, out) == false)
		return bt_fail(e, BT_E_FORMAT,
		    "bytes at 0x%llx are no instruction",
		    (unsigned long long)pc);
	return true;
}

bool
module_decode(struct module_host *host, const struct arch_thread_regs *regs,
    ptrace_instruction_t *out, bt_error_t *e)
{
	struct insn insn;

	if (FITS(out, ptrace_instruction_t) == false)
		return bt_fail(e, BT_E_USAGE, "size of the struct is not set");
	if (module_decode_raw(host, regs, &insn, e) == false)
		return false;
	fill_instruction(&insn, regs->regs.value[ARCH_PC], out);
	return true;
}

bool
ptrace_thread_instruction(
    ptrace_thread_t *thread, ptrace_instruction_t *out, bt_error_t *e)
{

	if (thread->target == NULL || thread->target->has_regs == false)
		return bt_fail(e, BT_E_NOTFOUND, "thread has no registers");
	return module_decode(thread->host, &thread->target->regs, out, e);
}

bool
ptrace_target_instruction(
    ptrace_target_t *t, bt_addr_t address, ptrace_instruction_t *out)
{
	uint8_t code[INSN_BYTES_MAX];
	struct insn insn;
	size_t got;

	if (FITS(out, ptrace_instruction_t) == false ||
	    !module_reads_code(t->host))
		return false;
	got = target_read(t->host->target, address, code, sizeof(code));
	if (got == 0 ||
	    insn_decode(code, got, address, NULL, NULL, &insn) == false)
		return false;
	fill_instruction(&insn, address, out);
	return true;
}

bool
ptrace_target_call_before(
    ptrace_target_t *t, bt_addr_t return_address, ptrace_instruction_t *out)
{
	enum { CALL_BYTES_MAX = 8 };
	uint8_t code[CALL_BYTES_MAX];
	struct insn insn;

	if (FITS(out, ptrace_instruction_t) == false ||
	    !module_reads_code(t->host) || return_address < CALL_BYTES_MAX ||
	    target_read(t->host->target, return_address - CALL_BYTES_MAX, code,
		sizeof(code)) != sizeof(code))
		return false;
	/* Instructions are not readable backwards: take the longest call that
	 * ends exactly at the return address. */
	for (unsigned length = CALL_BYTES_MAX - 1; length >= 2; length--) {
		bt_addr_t at = return_address - length;

		if (insn_decode(code + CALL_BYTES_MAX - length, length, at,
			NULL, NULL, &insn) &&
		    insn.length == length && insn.flow == INSN_FLOW_CALL) {
			fill_instruction(&insn, at, out);
			return true;
		}
	}
	return false;
}

static const char *
known(const char *name)
{

	return name[0] != '\0' ? name : NULL;
}

const char *
ptrace_signal_name(int32_t number)
{

	return known(snapshot_signal_name(number));
}

const char *
ptrace_signal_code_name(int32_t number, int32_t code)
{

	return known(snapshot_signal_code_name(number, code));
}

const char *
ptrace_register_name(int32_t number)
{

	if (number == PTRACE_REGISTER_SP)
		number = ARCH_SP;
	else if (number == PTRACE_REGISTER_PC)
		number = ARCH_PC;
	return number >= 0 ? arch_reg_name((unsigned)number) : NULL;
}

int32_t
ptrace_argument_register(unsigned i)
{

	return arch_argument_register(i);
}

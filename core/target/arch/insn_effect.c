/* SPDX-License-Identifier: MIT */
/*
 * What an instruction may do to registers and where it leads, and nothing
 * else: for reading many of them. Whoever asks wants to know what a register
 * surely still holds, so a doubtful instruction changes everything.
 */
#include "target/arch/insn_private.h"

typedef ZydisDecodedInstruction instruction;
typedef ZydisDecodedOperand operand;

enum { XMM0 = 17, XMMS = 16 };

static const uint64_t all_general = 0xffff;
static const uint64_t all_vectors = UINT64_C(0xffff) << XMM0;

/* System V ABI for x86-64, section 3.2.1 */
uint64_t
insn_call_changes(void)
{
	uint64_t mask = all_vectors;

	for (unsigned i = 0; i < 16; i++)
		if (arch_callee_saved(i) == false)
			mask |= UINT64_C(1) << i;
	return mask;
}

/* The dynamic linker's resolver keeps all that carries arguments (glibc,
 * sysdeps/x86_64/dl-trampoline.h; with FXSAVE or less: xmm0 to xmm7). */
uint64_t
insn_stub_changes(void)
{
	return UINT64_C(1) << 10 | UINT64_C(1) << 11 |
	    UINT64_C(0xff) << (XMM0 + 8);
}

static uint64_t
register_bit(ZydisRegister reg)
{
	static const uint8_t numbers[16] = {
	    0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
	ZydisRegister wide = ZydisRegisterGetLargestEnclosing(
	    ZYDIS_MACHINE_MODE_LONG_64, reg);
	ZyanI8 id = ZydisRegisterGetId(wide);

	switch (ZydisRegisterGetClass(wide)) {
	case ZYDIS_REGCLASS_GPR64:
		return UINT64_C(1) << numbers[id & 15];
	case ZYDIS_REGCLASS_XMM:
	case ZYDIS_REGCLASS_YMM:
	case ZYDIS_REGCLASS_ZMM:
		/* xmm16 and up are nobody's question. */
		return id < XMMS ? UINT64_C(1) << (XMM0 + id) : 0;
	default:
		return 0;
	}
}

/* What the operands do not tell. */
static uint64_t
hidden_changes(const instruction *in)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_FXRSTOR:
	case ZYDIS_MNEMONIC_FXRSTOR64:
	case ZYDIS_MNEMONIC_XRSTOR:
	case ZYDIS_MNEMONIC_XRSTOR64:
	case ZYDIS_MNEMONIC_XRSTORS:
	case ZYDIS_MNEMONIC_XRSTORS64:
	case ZYDIS_MNEMONIC_VZEROALL:
		return all_vectors;
	case ZYDIS_MNEMONIC_XBEGIN:
	case ZYDIS_MNEMONIC_ENCLU:
	case ZYDIS_MNEMONIC_VMFUNC:
	case ZYDIS_MNEMONIC_VMCALL:
		return all_general | all_vectors;
	default:
		break;
	}
	switch (in->meta.category) {
	case ZYDIS_CATEGORY_SYSCALL: /* the result */
		return UINT64_C(1) << 0;
	case ZYDIS_CATEGORY_INTERRUPT:
		return all_general | all_vectors;
	default:
		return 0;
	}
}

/* Where execution goes on: what comes back from an interrupt goes on behind it,
 * and must be looked at. */
static enum insn_flow
flow_of(const instruction *in)
{
	if (in->meta.category == ZYDIS_CATEGORY_INTERRUPT)
		return INSN_FLOW_NONE;
	return insn_flow_of(in);
}

static void
find_target(const instruction *in, const operand *op, uint64_t pc,
    struct insn_effect *out)
{
	uint64_t next = pc + in->length;

	if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && op->imm.is_relative) {
		out->to = INSN_TO_ADDRESS;
		out->target = next + (uint64_t)op->imm.value.s;
	} else if (op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	    op->mem.base == ZYDIS_REGISTER_RIP &&
	    op->mem.index == ZYDIS_REGISTER_NONE) {
		out->to = INSN_TO_SLOT;
		out->target = next + (uint64_t)op->mem.disp.value;
	}
}

static bool
is_stack_pointer(const operand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    op->reg.value == ZYDIS_REGISTER_RSP;
}

static void
moves(struct insn_effect *out, int64_t change)
{
	out->stack = INSN_STACK_MOVED;
	out->stack_change = change;
}

/* An instruction that names the stack pointer as what it changes. */
static void
sets_stack(const instruction *in, const operand *ops, struct insn_effect *out)
{
	const operand *from = &ops[1];
	bool constant = from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

	out->stack = INSN_STACK_LOST;
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
		if (constant)
			moves(out, from->imm.value.s);
		break;
	case ZYDIS_MNEMONIC_SUB:
		if (constant)
			moves(out, -from->imm.value.s);
		break;
	case ZYDIS_MNEMONIC_LEA:
		if (from->mem.base == ZYDIS_REGISTER_RSP &&
		    from->mem.index == ZYDIS_REGISTER_NONE)
			moves(out, from->mem.disp.value);
		break;
	case ZYDIS_MNEMONIC_AND:
		break;
	case ZYDIS_MNEMONIC_MOV:
		if (from->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    from->reg.value == ZYDIS_REGISTER_RBP)
			break;
		out->stack = INSN_STACK_SWITCHED;
		break;
	default:
		out->stack = INSN_STACK_SWITCHED;
		break;
	}
}

static void
find_stack(const instruction *in, const operand *ops, struct insn_effect *out)
{
	int64_t word = in->operand_width / 8;

	for (unsigned i = 0; i < in->operand_count_visible; i++) {
		const operand *op = &ops[i];

		if (is_stack_pointer(op) &&
		    (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0) {
			sets_stack(in, ops, out);
			return;
		}
		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op->mem.type != ZYDIS_MEMOP_TYPE_AGEN &&
		    op->mem.base == ZYDIS_REGISTER_RSP &&
		    op->mem.index == ZYDIS_REGISTER_NONE) {
			out->has_slot = true;
			out->slot = op->mem.disp.value;
		}
	}
	if (in->mnemonic == ZYDIS_MNEMONIC_LEAVE ||
	    in->mnemonic == ZYDIS_MNEMONIC_ENTER)
		out->stack = INSN_STACK_LOST;
	else if (in->meta.category == ZYDIS_CATEGORY_PUSH)
		moves(out, -word);
	else if (in->meta.category == ZYDIS_CATEGORY_POP)
		moves(out, word);
}

bool
insn_effect_at(
    const uint8_t *code, size_t size, uint64_t pc, struct insn_effect *out)
{
	ZydisDecoder decoder;
	instruction in;
	operand ops[ZYDIS_MAX_OPERAND_COUNT];

	*out = (struct insn_effect){0};
	if (size > INSN_BYTES_MAX)
		size = INSN_BYTES_MAX;
	if (!ZYAN_SUCCESS(ZydisDecoderInit(
		&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(
		ZydisDecoderDecodeFull(&decoder, code, size, &in, ops)))
		return false;
	out->length = in.length;
	out->flow = flow_of(&in);
	out->written = hidden_changes(&in);
	for (unsigned i = 0; i < in.operand_count; i++)
		if (ops[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0)
			out->written |= register_bit(ops[i].reg.value);
	find_stack(&in, ops, out);
	if (out->flow == INSN_FLOW_JUMP || out->flow == INSN_FLOW_CALL ||
	    out->flow == INSN_FLOW_CONDITIONAL)
		find_target(&in, &ops[0], pc, out);
	return true;
}

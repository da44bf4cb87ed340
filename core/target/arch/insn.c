/* SPDX-License-Identifier: MIT */
/*
 * Decoding one instruction by Zydis, and saying what it would access. Zydis
 * lists every operand, hidden ones included; what is left to us is to drop
 * what is no access (lea, nop, prefetch), to put stack operands where the
 * processor does, and to compute addresses as it does (Intel SDM volume 1,
 * 3.7.5, and the pages of the single instructions in volume 2).
 */
#include <Zydis/Zydis.h>

#include "target/arch/insn_private.h"

typedef ZydisDecodedInstruction instruction;
typedef ZydisDecodedOperand operand;

/* DWARF number of a general register of any width; -1 for others. */
static int
dwarf_number(ZydisRegister reg)
{
	static const int8_t numbers[16] = {
	    0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
	ZydisRegister wide;

	if (reg == ZYDIS_REGISTER_NONE)
		return -1;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return ARCH_PC;
	wide = ZydisRegisterGetLargestEnclosing(
	    ZYDIS_MACHINE_MODE_LONG_64, reg);
	if (ZydisRegisterGetClass(wide) != ZYDIS_REGCLASS_GPR64)
		return -1;
	return numbers[ZydisRegisterGetId(wide)];
}

/* The part of a register that its name in the instruction means. */
static bool
register_value(const struct insn_source *s, ZydisRegister reg, uint64_t *out)
{
	int number = dwarf_number(reg);
	ZyanU16 width = ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (number == ARCH_PC) {
		*out = s->pc + s->length;
	} else if (number < 0 || s->regs == NULL ||
	    !regs_get(s->regs, (unsigned)number, out)) {
		return false;
	}
	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
		*out >>= 8;
	if (width != 0 && width < 64)
		*out &= (UINT64_C(1) << width) - 1;
	return true;
}

static bool
is_access(const instruction *in, const operand *op)
{
	if (op->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    op->mem.type == ZYDIS_MEMOP_TYPE_AGEN ||
	    op->mem.type == ZYDIS_MEMOP_TYPE_MIB)
		return false;
	switch (in->meta.category) {
	case ZYDIS_CATEGORY_NOP:
	case ZYDIS_CATEGORY_WIDENOP:
	case ZYDIS_CATEGORY_PREFETCH:
	case ZYDIS_CATEGORY_PREFETCHWT1:
	case ZYDIS_CATEGORY_CLDEMOTE:
		return false;
	default:
		break;
	}
	return (op->actions &
		   (ZYDIS_OPERAND_ACTION_MASK_READ |
		       ZYDIS_OPERAND_ACTION_MASK_WRITE)) != 0;
}

/* push, call, enter and their like write below the stack pointer. */
static bool
is_stack_write(const instruction *in, const operand *op)
{
	if (in->meta.category != ZYDIS_CATEGORY_PUSH &&
	    in->meta.category != ZYDIS_CATEGORY_CALL &&
	    in->mnemonic != ZYDIS_MNEMONIC_ENTER)
		return false;
	return op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	    dwarf_number(op->mem.base) == ARCH_SP &&
	    (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
}

/*
 * What the processor adds to the address beyond its parts: the room a push
 * makes; the room a pop into memory has freed before its destination is
 * computed; the word that a bit string instruction with a register offset
 * selects (SDM volume 2, BT).
 */
static bool
extra_offset(const struct insn_source *s, const instruction *in,
    const operand *ops, const operand *op, uint64_t *out)
{
	uint64_t bit;

	*out = 0;
	if (is_stack_write(in, op)) {
		*out = -(uint64_t)(op->size / 8);
		return true;
	}
	if (op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
		return true;
	if (in->mnemonic == ZYDIS_MNEMONIC_POP &&
	    dwarf_number(op->mem.base) == ARCH_SP) {
		*out = op->size / 8;
		return true;
	}
	if (in->mnemonic != ZYDIS_MNEMONIC_BT &&
	    in->mnemonic != ZYDIS_MNEMONIC_BTS &&
	    in->mnemonic != ZYDIS_MNEMONIC_BTR &&
	    in->mnemonic != ZYDIS_MNEMONIC_BTC)
		return true;
	if (ops[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return true;
	if (!register_value(s, ops[1].reg.value, &bit))
		return false;
	/* Signed, in units of the operand. */
	unsigned unused = 64u - ops[1].size;
	int64_t index = (int64_t)(bit << unused) >> unused;
	int64_t shift = op->size == 64 ? 6 : op->size == 32 ? 5 : 4;
	*out = (uint64_t)(index >> shift) * (op->size / 8);
	return true;
}

static bool
segment_base(const struct insn_source *s, ZydisRegister segment,
    struct insn_operand *o, uint64_t *base)
{
	*base = 0;
	o->segment_relative = segment == ZYDIS_REGISTER_FS ||
	    segment == ZYDIS_REGISTER_GS;
	/* The other segments have base 0 in 64-bit mode. */
	if (!o->segment_relative)
		return true;
	if (s->thread == NULL || !s->thread->complete)
		return false;
	*base = segment == ZYDIS_REGISTER_FS ? s->thread->fs_base
					     : s->thread->gs_base;
	return true;
}

static void
compute_address(const struct insn_source *s, const instruction *in,
    const operand *ops, const operand *op, struct insn_operand *o)
{
	const ZydisDecodedOperandMem *m = &op->mem;
	uint64_t address = (uint64_t)m->disp.value, extra, segment;
	bool known = m->type != ZYDIS_MEMOP_TYPE_VSIB;

	/* xlat has no form without it, so Zydis does not list its index. */
	ZydisRegister index =
	    in->mnemonic == ZYDIS_MNEMONIC_XLAT ? ZYDIS_REGISTER_AL : m->index;

	o->base = dwarf_number(m->base);
	o->index = known ? dwarf_number(index) : -1;
	o->scale = index != ZYDIS_REGISTER_NONE ? m->scale : 0;
	if (o->scale == 0 && o->index >= 0)
		o->scale = 1;
	o->displacement = m->disp.value;
	if (m->base != ZYDIS_REGISTER_NONE) {
		o->base_known = register_value(s, m->base, &o->base_value);
		known = known && o->base_known;
		address += o->base_value;
	}
	if (o->index >= 0) {
		o->index_known = register_value(s, index, &o->index_value);
		known = known && o->index_known;
		address += o->index_value * o->scale;
	}
	known = extra_offset(s, in, ops, op, &extra) && known;
	known = segment_base(s, m->segment, o, &segment) && known;
	address += extra;
	if (in->address_width == 32)
		address = (uint32_t)address;
	o->effective_known = known;
	o->effective = known ? address + segment : 0;
}

/* enter with nesting level 0 pushes one word; Zydis gives it no size. */
static uint32_t
access_size(const instruction *in, const operand *op)
{
	if (op->size == 0 && in->mnemonic == ZYDIS_MNEMONIC_ENTER)
		return 8;
	return op->size / 8;
}

static void
fill_operand(const struct insn_source *s, const instruction *in,
    const operand *ops, const operand *op, struct insn_operand *o)
{
	o->read = (op->actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
	o->write = (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
	o->implicit = op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
	o->size = access_size(in, op);
	compute_address(s, in, ops, op, o);
	o->align = insn_alignment(in, op, o->size);
	insn_operand_text(in, op, o->text, sizeof(o->text));
}

enum insn_flow
insn_flow_of(const ZydisDecodedInstruction *in)
{
	switch (in->meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return INSN_FLOW_CALL;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return INSN_FLOW_JUMP;
	case ZYDIS_CATEGORY_COND_BR:
		return INSN_FLOW_CONDITIONAL;
	case ZYDIS_CATEGORY_RET:
		return INSN_FLOW_RETURN;
	case ZYDIS_CATEGORY_SYSCALL:
		return INSN_FLOW_SYSCALL;
	case ZYDIS_CATEGORY_SYSRET:
		return INSN_FLOW_RETURN;
	case ZYDIS_CATEGORY_INTERRUPT:
		return INSN_FLOW_TRAP;
	default:
		break;
	}
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
		return INSN_FLOW_TRAP;
	default:
		return INSN_FLOW_NONE;
	}
}

static enum insn_kind
kind_of(const instruction *in)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_DIV:
		return INSN_KIND_DIVIDE;
	case ZYDIS_MNEMONIC_IDIV:
		return INSN_KIND_DIVIDE_SIGNED;
	case ZYDIS_MNEMONIC_INT3:
		return INSN_KIND_BREAKPOINT;
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return INSN_KIND_UNDEFINED;
	case ZYDIS_MNEMONIC_HLT:
		return INSN_KIND_HALT;
	default:
		break;
	}
	switch (in->meta.isa_ext) {
	case ZYDIS_ISA_EXT_X87:
	case ZYDIS_ISA_EXT_SSE:
	case ZYDIS_ISA_EXT_SSE2:
	case ZYDIS_ISA_EXT_SSE3:
	case ZYDIS_ISA_EXT_SSE4:
	case ZYDIS_ISA_EXT_AVX:
	case ZYDIS_ISA_EXT_AVX2:
	case ZYDIS_ISA_EXT_AVX512EVEX:
	case ZYDIS_ISA_EXT_FMA:
	case ZYDIS_ISA_EXT_FMA4:
		return INSN_KIND_FLOAT;
	default:
		return INSN_KIND_OTHER;
	}
}

static void
fill_divisor(const struct insn_source *s, const operand *op, struct insn *out)
{
	if (out->kind != INSN_KIND_DIVIDE &&
	    out->kind != INSN_KIND_DIVIDE_SIGNED)
		return;
	out->divisor_size = (uint8_t)(op->size / 8);
	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER)
		out->divisor_known = register_value(
		    s, op->reg.value, &out->divisor);
}

static void
fill_written(const instruction *in, const operand *ops, struct insn *out)
{
	for (unsigned i = 0; i < in->operand_count; i++) {
		int number;

		if (ops[i].type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    (ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0)
			continue;
		number = dwarf_number(ops[i].reg.value);
		if (number >= 0 && number != ARCH_PC)
			out->written |= UINT32_C(1) << number;
	}
	out->loads = in->mnemonic == ZYDIS_MNEMONIC_MOV &&
	    out->n_operands == 1 &&
	    ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER && ops[0].size == 64 &&
	    ops[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
}

/* A whole register that becomes another one's value plus a constant. */
static void
fill_source(const instruction *in, const operand *ops, struct insn *out)
{
	bool whole = in->operand_count >= 2 &&
	    ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER && ops[0].size == 64;
	bool by = whole && ops[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

	out->source = -1;
	if (whole == false)
		return;
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		if (ops[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
			out->source = dwarf_number(ops[1].reg.value);
		break;
	case ZYDIS_MNEMONIC_LEA:
		if (ops[1].mem.index != ZYDIS_REGISTER_NONE)
			break;
		out->source = dwarf_number(ops[1].mem.base);
		out->added = ops[1].mem.disp.value;
		break;
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
		if (by == false)
			break;
		out->source = dwarf_number(ops[0].reg.value);
		out->added = in->mnemonic == ZYDIS_MNEMONIC_ADD
		    ? ops[1].imm.value.s
		    : -ops[1].imm.value.s;
		break;
	default:
		break;
	}
}

/* The count register is brought up to date before a fault (SDM volume 2,
 * REP). */
static void
fill_repeat(
    const struct insn_source *s, const instruction *in, struct insn *out)
{
	const ZyanU64 any = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
	    ZYDIS_ATTRIB_HAS_REPNE;

	if ((in->attributes & any) != 0 &&
	    !register_value(s, ZYDIS_REGISTER_RCX, &out->repeat))
		out->repeat = 0;
}

/* Gates that Linux has for programs: breakpoint, overflow, system call. */
static bool
is_closed_gate(const instruction *in)
{
	uint64_t gate = in->raw.imm[0].value.u & 0xff;

	return in->mnemonic == ZYDIS_MNEMONIC_INT && gate != 3 && gate != 4 &&
	    gate != 0x80;
}

/* Of the system's instructions those that read the clock are for all, unless
 * somebody asked for the contrary. */
static bool
is_of_system(const instruction *in)
{
	return (in->meta.category == ZYDIS_CATEGORY_SYSTEM &&
		   in->mnemonic != ZYDIS_MNEMONIC_RDTSC &&
		   in->mnemonic != ZYDIS_MNEMONIC_RDTSCP) ||
	    in->meta.category == ZYDIS_CATEGORY_VTX;
}

/* What a program at CPL 3 with IOPL 0 must not do. */
static bool
is_privileged(const instruction *in)
{
	return (in->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED) != 0 ||
	    in->meta.category == ZYDIS_CATEGORY_IO ||
	    in->meta.category == ZYDIS_CATEGORY_IOSTRINGOP ||
	    is_of_system(in) || is_closed_gate(in) ||
	    in->mnemonic == ZYDIS_MNEMONIC_CLI ||
	    in->mnemonic == ZYDIS_MNEMONIC_STI;
}

static void
fill_target(const struct insn_source *s, const operand *ops, unsigned n,
    struct insn *out)
{
	if (out->flow != INSN_FLOW_CALL && out->flow != INSN_FLOW_JUMP &&
	    out->flow != INSN_FLOW_CONDITIONAL)
		return;
	for (unsigned i = 0; i < n; i++) {
		const operand *op = &ops[i];

		if (op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
			continue;
		if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    op->imm.is_relative) {
			out->target_known = true;
			out->target = s->pc + s->length +
			    (uint64_t)op->imm.value.s;
		} else if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
			out->target_register = dwarf_number(op->reg.value);
			out->target_known = register_value(
			    s, op->reg.value, &out->target);
		}
		return;
	}
}

static void
fill_operands(const struct insn_source *s, const instruction *in,
    const operand *ops, unsigned n, struct insn *out)
{
	for (unsigned i = 0; i < n; i++) {
		struct insn_operand *o = &out->operands[out->n_operands];

		if (!is_access(in, &ops[i]) ||
		    out->n_operands == INSN_OPERANDS_MAX)
			continue;
		fill_operand(s, in, ops, &ops[i], o);
		insn_lanes(s, in, ops, &ops[i], o, &out->lanes);
		if ((out->flow == INSN_FLOW_RETURN ||
			(!o->implicit &&
			    (out->flow == INSN_FLOW_CALL ||
				out->flow == INSN_FLOW_JUMP))) &&
		    out->target_operand < 0)
			out->target_operand = (int)out->n_operands;
		out->n_operands++;
	}
}

bool
insn_decode(const uint8_t *code, size_t size, uint64_t pc,
    const struct arch_thread_regs *thread, const struct regs *regs,
    struct insn *out)
{
	ZydisDecoder decoder;
	instruction in;
	operand ops[ZYDIS_MAX_OPERAND_COUNT];
	struct insn_source s = {.pc = pc, .thread = thread, .regs = regs};

	memset(out, 0, sizeof(*out));
	out->target_register = -1;
	out->target_operand = -1;
	if (size > INSN_BYTES_MAX)
		size = INSN_BYTES_MAX;
	if (!ZYAN_SUCCESS(ZydisDecoderInit(
		&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(
		ZydisDecoderDecodeFull(&decoder, code, size, &in, ops)))
		return false;
	s.length = in.length;
	out->length = in.length;
	out->flow = insn_flow_of(&in);
	out->privileged = is_privileged(&in);
	out->kind = kind_of(&in);
	fill_divisor(&s, &ops[0], out);
	fill_repeat(&s, &in, out);
	fill_operands(&s, &in, ops, in.operand_count, out);
	fill_written(&in, ops, out);
	fill_source(&in, ops, out);
	fill_target(&s, ops, in.operand_count, out);
	insn_text(&in, ops, pc, out->text, sizeof(out->text));
	return true;
}

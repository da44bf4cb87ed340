/* SPDX-License-Identifier: MIT */
/*
 * Following a function's instructions to learn its frame layout. Only what
 * moves the stack or frame pointer or saves a register is understood; any
 * other write to one of them ends the knowledge of it. Encodings: Intel SDM
 * volume 2.
 */
#include "target/arch/prologue.h"

#include <Zydis/Zydis.h>

enum {
	BRANCHES_MAX = 128, /* forward branches remembered */
	SLOT = 8	    /* bytes a push takes */
};

/* Distances from the CFA down; at a function's first instruction only the
 * return address lies between. */
struct state {
	bool sp_known, fp_known; /* fp_known: it is a frame pointer of ours */
	int64_t sp, fp;		 /* CFA - register */
	uint32_t saved, changed;
	int32_t offset[ARCH_X86_64_REGS];
};

struct branch {
	size_t to;
	struct state state;
};

struct reader {
	ZydisDecoder decoder;
	struct state now;
	struct state body; /* with the frame set up furthest */
	unsigned n_branches;
	struct branch branches[BRANCHES_MAX];
};

static int
dwarf_number(ZydisRegister reg)
{
	static const int8_t numbers[16] = {
	    0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
	ZydisRegister wide = ZydisRegisterGetLargestEnclosing(
	    ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (reg == ZYDIS_REGISTER_NONE ||
	    ZydisRegisterGetClass(wide) != ZYDIS_REGCLASS_GPR64)
		return -1;
	return numbers[ZydisRegisterGetId(wide)];
}

static bool
is_register(const ZydisDecodedOperand *op, int number)
{
	return op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    dwarf_number(op->reg.value) == number;
}

/* [sp + d] or [fp + d] as a distance from the CFA. */
static bool
stack_slot(const struct state *s, const ZydisDecodedOperand *op, int64_t *out)
{
	int base;

	if (op->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    op->mem.index != ZYDIS_REGISTER_NONE ||
	    op->mem.segment == ZYDIS_REGISTER_FS ||
	    op->mem.segment == ZYDIS_REGISTER_GS)
		return false;
	base = dwarf_number(op->mem.base);
	if (base == ARCH_SP && s->sp_known)
		*out = s->sp - op->mem.disp.value;
	else if (base == ARCH_FP && s->fp_known)
		*out = s->fp - op->mem.disp.value;
	else
		return false;
	return *out > -INT32_MAX && *out < INT32_MAX;
}

static void
forget_register(struct state *s, int number)
{
	if (number == ARCH_SP)
		s->sp_known = false;
	if (number == ARCH_FP)
		s->fp_known = false;
	if (number >= 0)
		s->changed |= UINT32_C(1) << number;
}

/* The first time a preserved register is stored it is the caller's value. */
static void
save_register(struct state *s, int number, int64_t distance)
{
	uint32_t bit;

	if (number < 0 || arch_callee_saved((unsigned)number) == false)
		return;
	bit = UINT32_C(1) << number;
	if (((s->changed | s->saved) & bit) != 0 || number == ARCH_SP)
		return;
	s->saved |= bit;
	s->offset[number] = (int32_t)-distance;
}

static void
restore_register(struct state *s, int number, int64_t distance)
{
	uint32_t bit = number < 0 ? 0 : UINT32_C(1) << number;

	if (number == ARCH_FP)
		s->fp_known = false;
	if ((s->saved & bit) != 0 && s->offset[number] == (int32_t)-distance) {
		s->saved &= ~bit;
		s->changed &= ~bit;
	} else {
		forget_register(s, number);
	}
}

static void
do_push(struct state *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops)
{
	if (in->operand_width != 64) {
		s->sp_known = false;
		return;
	}
	s->sp += SLOT;
	if (s->sp_known && in->operand_count_visible > 0 &&
	    ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
		save_register(s, dwarf_number(ops[0].reg.value), s->sp);
}

static void
do_pop(struct state *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops)
{
	if (in->operand_width != 64) {
		s->sp_known = false;
		return;
	}
	if (in->operand_count_visible > 0 &&
	    ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER) {
		int number = dwarf_number(ops[0].reg.value);

		if (s->sp_known)
			restore_register(s, number, s->sp);
		else
			forget_register(s, number);
	}
	s->sp -= SLOT;
}

static void
do_leave(struct state *s)
{
	s->sp_known = s->fp_known;
	s->sp = s->fp;
	if (s->sp_known)
		restore_register(s, ARCH_FP, s->sp);
	else
		forget_register(s, ARCH_FP);
	s->sp -= SLOT;
}

/* mov and lea between stack and frame pointer, stores and loads of saved
 * registers. False: none of these, what it writes is to be forgotten. */
static bool
do_move(struct state *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops)
{
	bool lea = in->mnemonic == ZYDIS_MNEMONIC_LEA;
	int64_t distance;

	if (in->operand_width != 64)
		return false;
	if (lea == false && is_register(&ops[0], ARCH_FP) &&
	    is_register(&ops[1], ARCH_SP) && s->sp_known) {
		forget_register(s, ARCH_FP);
		s->fp_known = true;
		s->fp = s->sp;
		return true;
	}
	if (lea == false && is_register(&ops[0], ARCH_SP) &&
	    is_register(&ops[1], ARCH_FP) && s->fp_known) {
		s->sp_known = true;
		s->sp = s->fp;
		return true;
	}
	if (lea && stack_slot(s, &ops[1], &distance)) {
		if (is_register(&ops[0], ARCH_SP)) {
			s->sp_known = true;
			s->sp = distance;
			return true;
		}
		if (is_register(&ops[0], ARCH_FP)) {
			forget_register(s, ARCH_FP);
			s->fp_known = true;
			s->fp = distance;
			return true;
		}
	}
	if (lea == false && stack_slot(s, &ops[0], &distance) &&
	    ops[1].type == ZYDIS_OPERAND_TYPE_REGISTER) {
		save_register(s, dwarf_number(ops[1].reg.value), distance);
		return true;
	}
	if (lea == false && stack_slot(s, &ops[1], &distance) &&
	    ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER) {
		restore_register(s, dwarf_number(ops[0].reg.value), distance);
		return true;
	}
	return false;
}

static bool
do_adjust(struct state *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops)
{
	int64_t by;

	if (is_register(&ops[0], ARCH_SP) == false || in->operand_width != 64 ||
	    ops[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return false;
	by = ops[1].imm.value.s;
	s->sp += in->mnemonic == ZYDIS_MNEMONIC_SUB ? by : -by;
	return true;
}

static void
forget_written(struct state *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops)
{
	for (unsigned i = 0; i < in->operand_count; i++) {
		if (ops[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0)
			forget_register(s, dwarf_number(ops[i].reg.value));
	}
}

static void
follow(struct state *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
	case ZYDIS_MNEMONIC_PUSHFQ:
		do_push(s, in, ops);
		return;
	case ZYDIS_MNEMONIC_POP:
	case ZYDIS_MNEMONIC_POPFQ:
		do_pop(s, in, ops);
		return;
	case ZYDIS_MNEMONIC_LEAVE:
		do_leave(s);
		return;
	case ZYDIS_MNEMONIC_CALL: /* and its return */
		return;
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_LEA:
		if (do_move(s, in, ops))
			return;
		break;
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
		if (do_adjust(s, in, ops))
			return;
		break;
	default:
		break;
	}
	forget_written(s, in, ops);
}

static bool
is_further(const struct state *a, const struct state *b)
{
	if (a->fp_known != b->fp_known)
		return a->fp_known;
	return a->sp_known && b->sp_known && a->sp > b->sp;
}

static void
note_branch(struct reader *r, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops, size_t at)
{
	size_t to;

	if (ops[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
	    ops[0].imm.is_relative == ZYAN_FALSE)
		return;
	to = at + in->length + (size_t)ops[0].imm.value.s;
	if (to <= at || r->n_branches == BRANCHES_MAX)
		return;
	r->branches[r->n_branches++] = (struct branch){to, r->now};
}

/* Behind an instruction that does not go on: the state that a branch brings
 * here, else that of the body, as long as some branch still leads further.
 * Otherwise the function is over. */
static bool
land(struct reader *r, size_t at, bool indirect)
{
	bool pending = indirect;

	for (unsigned i = 0; i < r->n_branches; i++) {
		if (r->branches[i].to == at) {
			r->now = r->branches[i].state;
			return true;
		}
		pending = pending || r->branches[i].to > at;
	}
	r->now = r->body;
	return pending;
}

static bool
read_to(struct reader *r, const uint8_t *code, size_t size, size_t target)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction in;

	for (size_t at = 0; at < target; at += in.length) {
		bool ends = false, indirect = false;

		if (ZYAN_FAILED(ZydisDecoderDecodeFull(
			&r->decoder, code + at, size - at, &in, ops)))
			return false;
		switch (in.meta.category) {
		case ZYDIS_CATEGORY_COND_BR:
			note_branch(r, &in, ops, at);
			break;
		case ZYDIS_CATEGORY_UNCOND_BR:
			note_branch(r, &in, ops, at);
			indirect = ops[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE;
			ends = true;
			break;
		case ZYDIS_CATEGORY_RET:
			ends = true;
			break;
		default:
			ends = in.mnemonic == ZYDIS_MNEMONIC_UD2 ||
			    in.mnemonic == ZYDIS_MNEMONIC_HLT;
			break;
		}
		if (at + in.length > target)
			return false;
		if (ends && at + in.length < target) {
			if (land(r, at + in.length, indirect) == false)
				return false;
			continue;
		}
		follow(&r->now, &in, ops);
		if (is_further(&r->now, &r->body))
			r->body = r->now;
	}
	return true;
}

static bool
layout_from(const struct state *s, struct arch_layout *out)
{
	if (s->fp_known) {
		out->cfa_reg = ARCH_FP;
		out->cfa_offset = s->fp;
	} else if (s->sp_known && s->sp >= SLOT) {
		out->cfa_reg = ARCH_SP;
		out->cfa_offset = s->sp;
	} else {
		return false;
	}
	out->saved = s->saved;
	out->changed = s->changed;
	memcpy(out->offset, s->offset, sizeof(out->offset));
	return true;
}

bool
arch_layout_at(
    const uint8_t *code, size_t size, size_t at, struct arch_layout *out)
{
	struct reader r;

	if (at > size || at > ARCH_FUNCTION_MAX ||
	    ZYAN_FAILED(ZydisDecoderInit(
		&r.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
		return false;
	r.now = (struct state){.sp_known = true, .sp = SLOT};
	r.body = r.now;
	r.n_branches = 0;
	return read_to(&r, code, size, at) && layout_from(&r.now, out);
}

void
arch_layout_framed(struct arch_layout *out)
{
	*out = (struct arch_layout){.cfa_reg = ARCH_FP, .cfa_offset = 2 * SLOT};
	out->saved = UINT32_C(1) << ARCH_FP;
	out->offset[ARCH_FP] = -2 * SLOT;
	/* Where the others are, nobody says. */
	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++)
		out->changed |= UINT32_C(1) << i;
}

static bool
starts_with(const uint8_t *code, size_t n, const char *bytes, size_t n_bytes)
{
	return n >= n_bytes && memcmp(code, bytes, n_bytes) == 0;
}

static bool
is_frame_setup(const uint8_t *code, size_t n) /* mov %rsp,%rbp */
{
	return starts_with(code, n, "\x48\x89\xe5", 3) ||
	    starts_with(code, n, "\x48\x8b\xec", 3);
}

bool
arch_layout_at_edge(const uint8_t *before, size_t n_before,
    const uint8_t *after, size_t n_after, struct arch_layout *out)
{
	enum { PUSH_FP = 0x55, POP_FP = 0x5d, RET = 0xc3, RET_POP = 0xc2 };

	if (starts_with(after, n_after, "\xf3\x0f\x1e\xfa", 4)) {
		after += 4; /* endbr64 */
		n_after -= 4;
	}
	*out = (struct arch_layout){.cfa_reg = ARCH_SP, .cfa_offset = SLOT};
	if (n_after > 0 && (after[0] == RET || after[0] == RET_POP))
		return true;
	if (n_after > 1 && after[0] == PUSH_FP &&
	    is_frame_setup(after + 1, n_after - 1))
		return true;
	out->cfa_offset = 2 * SLOT;
	out->saved = UINT32_C(1) << ARCH_FP;
	out->offset[ARCH_FP] = -2 * SLOT;
	if (n_after > 1 && after[0] == POP_FP &&
	    (after[1] == RET || after[1] == RET_POP))
		return true;
	return n_before > 0 && before[n_before - 1] == PUSH_FP &&
	    is_frame_setup(after, n_after);
}

static bt_addr_t
relative(const uint8_t *field, bt_addr_t end)
{
	int32_t distance;

	memcpy(&distance, field, sizeof(distance));
	return end + (bt_addr_t)(int64_t)distance;
}

enum arch_call
arch_call_before(
    const uint8_t *code_before, size_t size, bt_addr_t pc, bt_addr_t *target)
{
	const uint8_t *end;

	if (size == 0)
		return ARCH_CALL_NONE;
	end = code_before + size;
	if (size >= 5 && end[-5] == 0xe8) {
		*target = relative(end - 4, pc);
		return ARCH_CALL_DIRECT;
	}
	if (size >= 6 && end[-6] == 0xff && end[-5] == 0x15) {
		*target = relative(end - 4, pc);
		return ARCH_CALL_SLOT;
	}
	return arch_is_after_call(code_before, size) ? ARCH_CALL_INDIRECT
						     : ARCH_CALL_NONE;
}

enum arch_call
arch_jump_at(const uint8_t *code, size_t size, bt_addr_t pc, bt_addr_t *target)
{
	size_t at = 0;

	if (starts_with(code, size, "\xf3\x0f\x1e\xfa", 4)) /* endbr64 */
		at = 4;
	if (size > at && code[at] == 0xf2) /* bnd */
		at++;
	if (size >= at + 5 && code[at] == 0xe9) {
		*target = relative(code + at + 1, pc + at + 5);
		return ARCH_CALL_DIRECT;
	}
	if (size >= at + 6 && code[at] == 0xff && code[at + 1] == 0x25) {
		*target = relative(code + at + 2, pc + at + 6);
		return ARCH_CALL_SLOT;
	}
	return ARCH_CALL_NONE;
}

/* SPDX-License-Identifier: MIT */
/*
 * Gathers and scatters (VSIB addressing, Intel SDM volume 2, 2.3.12): one
 * access for each element of an index vector, unless its mask says that there
 * is none. With VEX encoding the mask is the sign bits of a vector, with EVEX
 * a mask register. Elements are accessed from the lowest on, and the mask of
 * one that is done is cleared; so after a fault the lowest that is left and
 * covers the address is the one that failed.
 */
#include "target/arch/insn_private.h"
#include "target/arch/xstate.h"

struct shape { /* in bytes */
	unsigned index_size, element, lanes;
};

static bool
has_word_index(ZydisMnemonic mnemonic, bool *is_double)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_VPGATHERDD:
	case ZYDIS_MNEMONIC_VPGATHERDQ:
	case ZYDIS_MNEMONIC_VGATHERDPS:
	case ZYDIS_MNEMONIC_VGATHERDPD:
	case ZYDIS_MNEMONIC_VPSCATTERDD:
	case ZYDIS_MNEMONIC_VPSCATTERDQ:
	case ZYDIS_MNEMONIC_VSCATTERDPS:
	case ZYDIS_MNEMONIC_VSCATTERDPD:
		*is_double = true;
		return true;
	case ZYDIS_MNEMONIC_VPGATHERQD:
	case ZYDIS_MNEMONIC_VPGATHERQQ:
	case ZYDIS_MNEMONIC_VGATHERQPS:
	case ZYDIS_MNEMONIC_VGATHERQPD:
	case ZYDIS_MNEMONIC_VPSCATTERQD:
	case ZYDIS_MNEMONIC_VPSCATTERQQ:
	case ZYDIS_MNEMONIC_VSCATTERQPS:
	case ZYDIS_MNEMONIC_VSCATTERQPD:
		*is_double = false;
		return true;
	default:
		return false;
	}
}

static unsigned
register_bytes(ZydisRegister reg)
{
	return ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg) / 8u;
}

/* As many lanes as both the index vector and the data vector have. */
static bool
shape_of(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops,
    const ZydisDecodedOperand *op, struct shape *out)
{
	unsigned data = 0, n;
	bool is_double;

	if (!has_word_index(in->mnemonic, &is_double))
		return false;
	for (unsigned i = 0; i < in->operand_count_visible; i++) {
		if (ops[i].type == ZYDIS_OPERAND_TYPE_REGISTER && data == 0 &&
		    ZydisRegisterGetClass(ops[i].reg.value) !=
			ZYDIS_REGCLASS_MASK)
			data = register_bytes(ops[i].reg.value);
	}
	out->index_size = is_double ? 4 : 8;
	out->element = op->size / 8;
	if (out->element != 4 && out->element != 8)
		return false;
	out->lanes = register_bytes(op->mem.index) / out->index_size;
	n = data / out->element;
	if (n < out->lanes)
		out->lanes = n;
	return out->lanes != 0 && out->lanes <= INSN_LANES_MAX;
}

static bool
vector_of(const struct insn_source *s, ZydisRegister reg, uint8_t *out)
{
	ZyanI8 id = ZydisRegisterGetId(reg);

	return id >= 0 && s->thread != NULL && s->regs != NULL &&
	    arch_vector(s->thread, (unsigned)id, register_bytes(reg), out);
}

/* One bit for each lane that is not masked out. */
static bool
active_lanes(const struct insn_source *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops, const struct shape *shape, uint16_t *out)
{
	uint8_t bytes[ARCH_VECTOR_BYTES];
	uint64_t mask = 0;
	unsigned mask_operand = 2;

	if (in->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX) {
		ZyanI8 id = ZydisRegisterGetId(in->avx.mask.reg);

		if (id < 0 || s->thread == NULL ||
		    !arch_mask(s->thread, (unsigned)id, &mask))
			return false;
	} else {
		if (in->operand_count_visible <= mask_operand ||
		    ops[mask_operand].type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    !vector_of(s, ops[mask_operand].reg.value, bytes))
			return false;
		for (unsigned i = 0; i < shape->lanes; i++) {
			unsigned last = (i + 1) * shape->element - 1;

			mask |= (uint64_t)(bytes[last] >> 7) << i;
		}
	}
	*out = (uint16_t)(mask & ((UINT64_C(1) << shape->lanes) - 1));
	return true;
}

void
insn_lanes(const struct insn_source *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops, const ZydisDecodedOperand *op,
    struct insn_operand *o, struct insn_lanes *out)
{
	const bool has_base = op->mem.base != ZYDIS_REGISTER_NONE;
	uint8_t index[ARCH_VECTOR_BYTES];
	struct shape shape;

	if (op->mem.type != ZYDIS_MEMOP_TYPE_VSIB ||
	    !shape_of(in, ops, op, &shape))
		return;
	o->lanes = (uint8_t)shape.lanes;
	if ((has_base && !o->base_known) || o->segment_relative ||
	    !vector_of(s, op->mem.index, index) ||
	    !active_lanes(s, in, ops, &shape, &out->active))
		return;
	out->known = (uint16_t)((UINT32_C(1) << shape.lanes) - 1);
	for (unsigned i = 0; i < shape.lanes; i++) {
		int64_t value;
		int32_t narrow;

		if (shape.index_size == 8) {
			memcpy(&value, index + 8 * (size_t)i, 8);
		} else {
			memcpy(&narrow, index + 4 * (size_t)i, 4);
			value = narrow; /* signed, the manual says */
		}
		out->index[i] = (uint64_t)value;
		out->effective[i] = (has_base ? o->base_value : 0) +
		    (uint64_t)value * o->scale + (uint64_t)o->displacement;
		if (in->address_width == 32)
			out->effective[i] = (uint32_t)out->effective[i];
	}
}

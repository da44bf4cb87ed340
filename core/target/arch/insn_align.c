/* SPDX-License-Identifier: MIT */
/*
 * Which memory accesses fault when they are not aligned, whatever EFLAGS.AC
 * says: legacy SSE arithmetic and the "aligned" moves of every vector length
 * (Intel SDM volume 2, tables 2-17 to 2-27 and 2-45), and the save areas.
 */
#include "target/arch/insn_private.h"

/* Legacy SSE instructions of exception types 2 and 4 that are defined to
 * accept any address. */
static bool
is_unaligned_move(ZydisMnemonic mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_MOVUPS:
	case ZYDIS_MNEMONIC_MOVUPD:
	case ZYDIS_MNEMONIC_MOVDQU:
	case ZYDIS_MNEMONIC_LDDQU:
	case ZYDIS_MNEMONIC_MASKMOVDQU:
	case ZYDIS_MNEMONIC_PCMPESTRI:
	case ZYDIS_MNEMONIC_PCMPESTRM:
	case ZYDIS_MNEMONIC_PCMPISTRI:
	case ZYDIS_MNEMONIC_PCMPISTRM:
		return true;
	default:
		return false;
	}
}

static uint8_t
by_exception_class(const ZydisDecodedInstruction *in, uint32_t access)
{
	switch (in->meta.exception_class) {
	case ZYDIS_EXCEPTION_CLASS_SSE1:
	case ZYDIS_EXCEPTION_CLASS_AVX1:
	case ZYDIS_EXCEPTION_CLASS_E1:
	case ZYDIS_EXCEPTION_CLASS_E1NF:
		return access == 16 || access == 32 || access == 64
		    ? (uint8_t)access
		    : 0;
	case ZYDIS_EXCEPTION_CLASS_SSE2:
	case ZYDIS_EXCEPTION_CLASS_SSE4:
		return access == 16 && !is_unaligned_move(in->mnemonic) ? 16
									: 0;
	default:
		return 0;
	}
}

uint8_t
insn_alignment(const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *operand, uint32_t access)
{
	if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
		return 0;
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_CMPXCHG16B:
	case ZYDIS_MNEMONIC_FXSAVE:
	case ZYDIS_MNEMONIC_FXSAVE64:
	case ZYDIS_MNEMONIC_FXRSTOR:
	case ZYDIS_MNEMONIC_FXRSTOR64:
		return 16;
	case ZYDIS_MNEMONIC_XSAVE:
	case ZYDIS_MNEMONIC_XSAVE64:
	case ZYDIS_MNEMONIC_XSAVEC:
	case ZYDIS_MNEMONIC_XSAVEC64:
	case ZYDIS_MNEMONIC_XSAVEOPT:
	case ZYDIS_MNEMONIC_XSAVEOPT64:
	case ZYDIS_MNEMONIC_XSAVES:
	case ZYDIS_MNEMONIC_XSAVES64:
	case ZYDIS_MNEMONIC_XRSTOR:
	case ZYDIS_MNEMONIC_XRSTOR64:
	case ZYDIS_MNEMONIC_XRSTORS:
	case ZYDIS_MNEMONIC_XRSTORS64:
		return 64;
	default:
		return by_exception_class(in, access);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files that decode an instruction; the only header that shows
 * Zydis types.
 */
#ifndef TARGET_ARCH_INSN_PRIVATE_H
#define TARGET_ARCH_INSN_PRIVATE_H

#include <Zydis/Zydis.h>

#include "target/arch/insn.h"

/* Where the instruction stands and what its registers hold. */
struct insn_source {
	uint64_t pc;
	uint8_t length;
	const struct arch_thread_regs *thread; /* NULL: segment bases unknown */
	const struct regs *regs;	       /* NULL: unknown */
};

/* insn.c: what it does to the program counter. */
enum insn_flow insn_flow_of(const ZydisDecodedInstruction *in);

/* insn_text.c */
void insn_text(const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *operands, uint64_t pc, char *out, size_t size);
/* "[rax + rcx*4 + 0x18]", with "fs:" in front when it matters. */
void insn_operand_text(const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *operand, char *out, size_t size);

/* insn_align.c: bytes the access must be aligned to, 0: none. */
uint8_t insn_alignment(const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *operand, uint32_t access);

/* insn_lanes.c: the single accesses of a gather or scatter; nothing for other
 * operands. */
void insn_lanes(const struct insn_source *s, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *operands, const ZydisDecodedOperand *operand,
    struct insn_operand *o, struct insn_lanes *out);

#endif /* TARGET_ARCH_INSN_PRIVATE_H */

/* SPDX-License-Identifier: MIT */
/*
 * One decoded instruction: its text, its memory operands with direction and
 * effective address. Zydis does the decoding; docs/architecture.md says why.
 */
#ifndef TARGET_ARCH_INSN_H
#define TARGET_ARCH_INSN_H

#include "target/arch/arch.h"

enum { INSN_OPERANDS_MAX = 8, INSN_TEXT_MAX = 128, INSN_BYTES_MAX = 15 };
enum { INSN_LANES_MAX = 16 };

enum insn_flow {
	INSN_FLOW_NONE,
	INSN_FLOW_CALL,
	INSN_FLOW_JUMP,
	INSN_FLOW_CONDITIONAL,
	INSN_FLOW_RETURN,
	INSN_FLOW_SYSCALL,
	INSN_FLOW_TRAP /* int3, ud2, hlt and their like */
};

enum insn_kind { /* what a trap may have come from */
	INSN_KIND_OTHER,
	INSN_KIND_DIVIDE,
	INSN_KIND_DIVIDE_SIGNED,
	INSN_KIND_FLOAT,
	INSN_KIND_BREAKPOINT,
	INSN_KIND_UNDEFINED,
	INSN_KIND_HALT
};

struct insn_operand { /* a memory operand that is really accessed */
	bool read, write;
	bool implicit;	      /* push, call, ret, string instructions */
	bool effective_known; /* all registers of the address were known */
	uint64_t effective;   /* effective address incl. segment base */
	uint32_t size;	      /* bytes accessed, 0: unknown */
	int base, index;      /* DWARF register number or -1 */
	uint8_t scale;	      /* 0 without index */
	int64_t displacement;
	bool base_known, index_known;
	uint64_t base_value, index_value;
	bool segment_relative; /* fs: or gs: */
	uint8_t align;	       /* alignment the instruction insists on, or 0 */
	uint8_t lanes; /* of a gather or scatter, else 0: see insn.lanes */
	char text[48]; /* "[rax + 0x18]" */
};

/* The elements of a gather or scatter: each has an index and an address of its
 * own, and a mask says which of them are (still) to be accessed. */
struct insn_lanes {
	uint16_t known;	 /* bit N: index and mask of lane N are known */
	uint16_t active; /* bit N: lane N is not masked out */
	uint64_t index[INSN_LANES_MAX];
	uint64_t effective[INSN_LANES_MAX];
};

struct insn {
	uint8_t length;
	enum insn_flow flow;
	bool privileged;
	bool target_known; /* of a call or jump */
	uint64_t target; /* direct target, or the value of a register target */
	int target_register; /* DWARF number of "call *%rax", or -1 */
	int target_operand;  /* index of the memory operand holding it, or -1 */
	enum insn_kind kind;
	/* Of a division: its width in bytes; the value, when in a register */
	uint8_t divisor_size;
	bool divisor_known;
	uint64_t divisor;
	uint32_t written; /* bit N: DWARF register N is changed */
	bool loads;	  /* a plain load of a whole register from operand 0 */
	/* The register written is this one's value before, plus `added` (mov,
	 * lea, add, sub of whole registers); ARCH_PC: of the next instruction;
	 * -1: neither. */
	int source;
	int64_t added;
	uint64_t repeat; /* turns that a REP has left; 0: none, or unknown */
	unsigned n_operands;
	struct insn_operand operands[INSN_OPERANDS_MAX];
	struct insn_lanes lanes;  /* of the operand that has any */
	char text[INSN_TEXT_MAX]; /* "mov dword ptr [rax + 0x18], edx" */
};

/* Decodes the instruction at pc. regs may be NULL (no effective addresses).
 * False when the bytes are no instruction. */
bool insn_decode(const uint8_t *code, size_t size, uint64_t pc,
    const struct arch_thread_regs *thread, const struct regs *regs,
    struct insn *out);

/* ---- many instructions, for what they do to registers ---- */

struct insn_effect {
	uint8_t length;
	enum insn_flow flow;
	/* Of a jump or call: the address it leads to, the address of the word
	 * that holds it, or nothing that the instruction alone tells. */
	enum { INSN_TO_UNKNOWN, INSN_TO_ADDRESS, INSN_TO_SLOT } to;
	uint64_t target;
	/* Bit N: DWARF register N (general ones, xmm0 to xmm15) may be changed;
	 * of a call: by the instruction itself. */
	uint64_t written;
	/* The stack pointer: moved by stack_change; at some place in the frame
	 * (from the frame pointer, aligned); or set from anything else, as what
	 * goes on with another stack does. What calls and returns do to it is
	 * not told. */
	enum {
		INSN_STACK_KEPT,
		INSN_STACK_MOVED,
		INSN_STACK_LOST,
		INSN_STACK_SWITCHED
	} stack;
	int64_t stack_change;
	/* A word at the stack pointer + slot is looked at or written to. */
	bool has_slot;
	int64_t slot;
};

/* False when the bytes are no instruction. */
bool insn_effect_at(
    const uint8_t *code, size_t size, uint64_t pc, struct insn_effect *out);
/* What a function may change before it returns; what the dynamic linker may
 * before a function begins. */
uint64_t insn_call_changes(void);
uint64_t insn_stub_changes(void);

#endif /* TARGET_ARCH_INSN_H */

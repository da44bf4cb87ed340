/* SPDX-License-Identifier: MIT */
/*
 * What an analysis module may ask about the target: memory, registers,
 * mappings, symbols, decoded instructions. All of it is read-only and works
 * the same for a core file and a captured live process.
 *
 * Structs that a module declares itself start with their size, so that they
 * can grow: set it with the *_INIT macro. Registers go by DWARF number
 * (System V psABI); ptrace_register_name has the names.
 */
#ifndef PTRACE_TARGET_H
#define PTRACE_TARGET_H

#include <bt.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ptrace_target ptrace_target_t;
typedef struct ptrace_thread ptrace_thread_t;
typedef struct ptrace_frame ptrace_frame_t;

enum { /* permissions of a mapping */
	PTRACE_PERM_EXEC = 1,
	PTRACE_PERM_WRITE = 2,
	PTRACE_PERM_READ = 4
};

enum { /* DWARF numbers of the registers every architecture has */
	PTRACE_REGISTER_SP = -2,
	PTRACE_REGISTER_PC = -1
};

typedef struct ptrace_mapping {
	uint32_t size;
	uint32_t permissions; /* PTRACE_PERM_* */
	bt_addr_t start, end;
	uint64_t offset;
	const char *path; /* NULL: anonymous */
	uint64_t reserved[4];
} ptrace_mapping_t;
#define PTRACE_MAPPING_INIT                                                    \
	{                                                                      \
		.size = sizeof(ptrace_mapping_t)                               \
	}

typedef struct ptrace_signal {
	uint32_t size;
	int32_t number;
	int32_t code;	    /* valid when has_info */
	int32_t sender_pid; /* valid when has_sender */
	uint32_t sender_uid;
	bool has_info;
	bool has_address;
	bool has_sender;
	bt_addr_t address;
	uint64_t reserved[4];
} ptrace_signal_t;
#define PTRACE_SIGNAL_INIT                                                     \
	{                                                                      \
		.size = sizeof(ptrace_signal_t)                                \
	}

enum ptrace_flow { /* what the instruction does to the program counter */
	PTRACE_FLOW_NONE,
	PTRACE_FLOW_CALL,
	PTRACE_FLOW_JUMP,
	PTRACE_FLOW_CONDITIONAL,
	PTRACE_FLOW_RETURN,
	PTRACE_FLOW_SYSCALL,
	PTRACE_FLOW_TRAP
};

typedef struct ptrace_operand { /* a memory operand that is accessed */
	bool read, write;
	bool implicit;	      /* push, call, ret, string instructions */
	bool effective_known; /* every register of the address was known */
	bool base_known, index_known;
	bool segment_relative; /* an address within fs or gs */
	uint8_t scale;	       /* 0: no index */
	uint8_t align;	       /* bytes the instruction insists on, 0: none */
	int32_t base, index;   /* DWARF numbers, -1: none */
	uint32_t access_size;  /* bytes, 0: unknown */
	int64_t displacement;
	bt_addr_t effective;
	uint64_t base_value, index_value;
	char text[48]; /* "[rax + 0x18]" */
	uint64_t reserved[2];
} ptrace_operand_t;

enum { PTRACE_OPERANDS_MAX = 8 };

typedef struct ptrace_instruction {
	uint32_t size;
	uint32_t length; /* bytes */
	uint32_t flow;	 /* enum ptrace_flow */
	bool privileged;
	bool target_known;	 /* of a call or jump */
	bt_addr_t address;	 /* of the instruction */
	bt_addr_t target;	 /* direct, or the value of the register */
	int32_t target_register; /* DWARF number, -1: none */
	int32_t target_operand;	 /* operand that holds the target, -1: none */
	uint32_t n_operands;
	ptrace_operand_t operands[PTRACE_OPERANDS_MAX];
	char text[128]; /* "mov dword ptr [rax + 0x18], edx" */
	uint64_t reserved[4];
} ptrace_instruction_t;
#define PTRACE_INSTRUCTION_INIT                                                \
	{                                                                      \
		.size = sizeof(ptrace_instruction_t)                           \
	}

/* The signal that killed the process. False: none (a healthy process). */
bool ptrace_target_signal(ptrace_target_t *t, ptrace_signal_t *out);
int32_t ptrace_target_pid(ptrace_target_t *t);

/* Reads size bytes; all or nothing. */
bool ptrace_target_read(ptrace_target_t *t, bt_addr_t address, void *out,
    size_t size, bt_error_t *e);
/* How many bytes from address on were readable (at most size). */
size_t ptrace_target_read_some(
    ptrace_target_t *t, bt_addr_t address, void *out, size_t size);

/* False when no mapping holds the address. */
bool ptrace_target_mapping(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out);
/* The nearest mapping that ends at or below address, or starts above it. */
bool ptrace_target_mapping_below(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out);
/* An address the processor can form (48-bit sign-extended). */
bool ptrace_target_canonical(ptrace_target_t *t, bt_addr_t address);

/* Name of the function or variable at an address, its start; NULL: unknown.
 * Borrowed until the target ends. */
const char *ptrace_target_symbol(
    ptrace_target_t *t, bt_addr_t address, bt_addr_t *start);

/* Register of a thread at the moment of the snapshot (frame 0), by DWARF
 * number or PTRACE_REGISTER_*. */
bool ptrace_thread_register(
    ptrace_thread_t *thread, int32_t number, uint64_t *out);
/* The instruction at the thread's program counter, with the effective
 * addresses its registers give. */
bool ptrace_thread_instruction(
    ptrace_thread_t *thread, ptrace_instruction_t *out, bt_error_t *e);
/* The call instruction before a return address, decoded without registers. */
bool ptrace_target_call_before(
    ptrace_target_t *t, bt_addr_t return_address, ptrace_instruction_t *out);

const char *ptrace_register_name(int32_t number); /* NULL: unknown */

#ifdef __cplusplus
}
#endif
#endif /* PTRACE_TARGET_H */

/* SPDX-License-Identifier: MIT */
/*
 * What an analysis module may ask about the target: memory, registers,
 * mappings, symbols, decoded instructions. All of it is read-only and works
 * the same for a core file and a captured live process.
 *
 * Structs that a module declares itself start with their size, so that they
 * can grow: set it with the *_INIT macro. Registers go by DWARF number
 * (System V psABI); ptrace_register_name has the names.
 *
 * Of a core of another architecture than x86-64, registers other than
 * PTRACE_REGISTER_*, instructions, traps and system calls are not known: the
 * functions that ask for them say so.
 */
#ifndef PTRACE_TARGET_H
#define PTRACE_TARGET_H

#include <bt.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

typedef struct ptrace_target ptrace_target_t;
typedef struct ptrace_thread ptrace_thread_t;
typedef struct ptrace_frame ptrace_frame_t;
/* Registers at one moment: of a thread now, or when a fault hit it. */
typedef struct ptrace_context ptrace_context_t;
/* A variable as the snapshot has it. */
typedef struct ptrace_variable ptrace_variable_t;

enum { /* permissions of a mapping */
	PTRACE_PERM_EXEC = 1,
	PTRACE_PERM_WRITE = 2,
	PTRACE_PERM_READ = 4
};

enum { /* DWARF numbers of the registers every architecture has */
	PTRACE_REGISTER_THREAD_POINTER = -3, /* of a thread: its local storage*/
	PTRACE_REGISTER_SP = -2,
	PTRACE_REGISTER_PC = -1
};

typedef struct ptrace_mapping {
	uint32_t size;
	uint32_t permissions; /* PTRACE_PERM_* */
	bt_addr_t start, end;
	uint64_t offset;
	const char *path; /* NULL: anonymous */
	/* Bytes from start on that were kept with the process; what lies behind
	 * them is read from the file, or not at all. */
	uint64_t dumped;
	uint64_t reserved[3];
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

enum ptrace_instruction_kind { /* what a trap may have come from */
	PTRACE_KIND_OTHER,
	PTRACE_KIND_DIVIDE,	   /* unsigned integers */
	PTRACE_KIND_DIVIDE_SIGNED, /* signed integers */
	PTRACE_KIND_FLOAT,	   /* x87, SSE, AVX arithmetic */
	PTRACE_KIND_BREAKPOINT,	   /* int3 */
	PTRACE_KIND_UNDEFINED,	   /* ud2 and its like: meant to trap */
	PTRACE_KIND_HALT	   /* hlt: a library's way to stop */
};

typedef struct ptrace_operand { /* a memory operand that is accessed */
	bool read, write;
	bool implicit;	      /* push, call, ret, string instructions */
	bool effective_known; /* every register of the address was known */
	bool base_known, index_known;
	bool segment_relative; /* an address within fs or gs */
	uint8_t scale;	       /* 0: no index */
	uint8_t align;	       /* bytes the instruction insists on, 0: none */
	uint8_t lanes; /* of a gather or scatter, 0: none; then access_size is
			* that of one: ptrace_context_lane */
	int32_t base, index;  /* DWARF numbers, -1: none */
	uint32_t access_size; /* bytes, 0: unknown */
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
	uint32_t kind;	/* enum ptrace_instruction_kind */
	/* Of a division: the divisor's width, and its value when a register
	 * holds it; in memory it is operand 0. */
	uint8_t divisor_size;
	bool divisor_known;
	uint64_t divisor;
	uint64_t repeat;  /* turns left of a repeated string instruction */
	uint32_t written; /* bit N: the register of DWARF number N */
	bool loads;	  /* nothing but a whole register from operand 0 */
	/* The one register written is this one as it was before, plus `added`
	 * (of the program counter: the next instruction's address), by DWARF
	 * number; -1: neither. */
	int32_t source;
	int64_t added;
	uint64_t reserved[4];
} ptrace_instruction_t;
#define PTRACE_INSTRUCTION_INIT                                                \
	{                                                                      \
		.size = sizeof(ptrace_instruction_t)                           \
	}

/* What the processor said of a fault, as the kernel left it on the stack of a
 * signal handler. */
typedef struct ptrace_trap {
	uint32_t size;
	uint32_t number; /* of the exception */
	uint64_t error;	 /* its error code */
	bool page_fault;
	bool write, execute, protection; /* of a page fault */
	bool handler_live;		 /* the handler had not returned */
	bt_addr_t address;		 /* of a page fault */
	bt_addr_t handler; /* a pc within the handler; 0: unknown */
	uint64_t reserved[4];
} ptrace_trap_t;
#define PTRACE_TRAP_INIT                                                       \
	{                                                                      \
		.size = sizeof(ptrace_trap_t)                                  \
	}

/* The system call that a thread is in. */
typedef struct ptrace_syscall {
	uint32_t size;
	int64_t number;
	uint64_t arguments[6];
	uint64_t reserved[4];
} ptrace_syscall_t;
#define PTRACE_SYSCALL_INIT                                                    \
	{                                                                      \
		.size = sizeof(ptrace_syscall_t)                               \
	}

/* One loaded ELF file. Strings are borrowed until the target ends. */
typedef struct ptrace_module {
	uint32_t size;
	bool executable; /* the program itself */
	bool vdso;
	bool has_file; /* found on this machine, and the right one */
	const char *path, *name;
	bt_addr_t start, end;
	uint64_t bias; /* run-time address less the file's own */
	/* Bytes that each thread has of its own of this module (PT_TLS); 0: no
	 * thread-local storage. */
	uint64_t tls_size;
	uint64_t reserved[3];
} ptrace_module_t;
#define PTRACE_MODULE_INIT                                                     \
	{                                                                      \
		.size = sizeof(ptrace_module_t)                                \
	}

enum ptrace_variable_kind {
	PTRACE_VARIABLE_OTHER,
	PTRACE_VARIABLE_NUMBER,
	PTRACE_VARIABLE_POINTER,
	PTRACE_VARIABLE_STRUCT,
	PTRACE_VARIABLE_ARRAY
};

typedef struct ptrace_variable_fields {
	uint32_t size;
	uint32_t kind; /* enum ptrace_variable_kind */
	bool parameter, has_address, has_value;
	uint32_t n_children; /* members or elements */
	const char *name, *type;
	bt_addr_t address;
	uint64_t value;	 /* of a number or pointer */
	uint64_t length; /* elements or bytes, 0: unknown */
	uint64_t reserved[4];
} ptrace_variable_info_t;
#define PTRACE_VARIABLE_INFO_INIT                                              \
	{                                                                      \
		.size = sizeof(ptrace_variable_info_t)                         \
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
/* The bytes in place, without a copy: how many lie together from address on, at
 * most size; 0: none are held (ptrace_target_read may know more). Good until
 * the next call of any function that reads. */
size_t ptrace_target_view(ptrace_target_t *t, bt_addr_t address, size_t size,
    const unsigned char **out);
/* A hint before long reading in order: what begins at address comes next, size
 * bytes of it, and what the last hint was about is done with. The disk is kept
 * busy so, and memory use does not grow with what was read. */
void ptrace_target_stream(ptrace_target_t *t, bt_addr_t address, size_t size);
/* A running process: what was not captured is read from it now, and may have
 * changed since the registers were. Not so where there is a frozen copy of it
 * (--fork). */
bool ptrace_target_live(ptrace_target_t *t);
/* The first aligned word in [start, end) whose value is in [low, high], from
 * low addresses to high. Unreadable parts are skipped. False: none. The host
 * bounds the work of all searches of a run: past that, false as well. */
bool ptrace_target_find_word(ptrace_target_t *t, bt_addr_t start, bt_addr_t end,
    uint64_t low, uint64_t high, bt_addr_t *found, uint64_t *value);
/* An entry of the auxiliary vector (AT_*). */
bool ptrace_target_auxv(ptrace_target_t *t, uint64_t type, uint64_t *value);

/* False when no mapping holds the address. */
bool ptrace_target_mapping(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out);
/* The nearest mapping that ends at or below address, or starts above it. */
bool ptrace_target_mapping_below(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out);
/* The first mapping that ends above the address: start with 0, go on with the
 * end of the last. False: no more. */
bool ptrace_target_mapping_next(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out);
/* An address the processor can form (48-bit sign-extended). */
bool ptrace_target_canonical(ptrace_target_t *t, bt_addr_t address);

/* Name of the function at an address, or of the variable with static storage,
 * and its start (may be NULL); NULL: none is known. Borrowed until the target
 * ends. */
const char *ptrace_target_symbol(
    ptrace_target_t *t, bt_addr_t address, bt_addr_t *start);

/* Address of the first definition of a name in a module (NULL: in all, by their
 * addresses), its size (0: unknown). By the linkage name. */
bool ptrace_target_symbol_named(ptrace_target_t *t, const ptrace_module_t *m,
    const char *name, bt_addr_t *address, uint64_t *size);
/* Loaded modules in the order of their addresses. */
uint32_t ptrace_target_n_modules(ptrace_target_t *t);
bool ptrace_target_module(ptrace_target_t *t, uint32_t i, ptrace_module_t *out);
/* The same without looking for the module's file, which costs as much as all
 * else that is known of it: has_file is false. For who goes through them to
 * find one by its name or by what it has in memory. */
bool ptrace_target_module_listed(
    ptrace_target_t *t, uint32_t i, ptrace_module_t *out);
bool ptrace_target_module_at(
    ptrace_target_t *t, bt_addr_t address, ptrace_module_t *out);
/* What the module's file on this machine has for a run-time address (before
 * relocation): how many of size bytes; 0 without the right file. */
size_t ptrace_target_read_file(
    ptrace_target_t *t, bt_addr_t address, void *out, size_t size);
/* Bounds of the function that holds a pc, from call frame information. */
bool ptrace_target_function(
    ptrace_target_t *t, bt_addr_t pc, bt_addr_t *start, bt_addr_t *end);
/* Decodes an instruction without registers. */
bool ptrace_target_instruction(
    ptrace_target_t *t, bt_addr_t address, ptrace_instruction_t *out);
/* The function that a call through the procedure linkage table goes to:
 * "memcpy". NULL: not such a call. */
const char *ptrace_target_call_name(
    ptrace_target_t *t, const ptrace_instruction_t *call);

/* ---- contexts ---- */

/* The thread as it stood when the snapshot was taken. NULL: no registers. */
ptrace_context_t *ptrace_thread_context(ptrace_thread_t *thread);
/* The thread when the fault hit it: what the kernel saved for a signal handler
 * that ran (or had run) afterwards, else the same as ptrace_thread_context. */
ptrace_context_t *ptrace_thread_fault_context(ptrace_thread_t *thread);
/* The signal that a handler was called for, as the kernel told the handler:
 * the thread is still in that handler, or ended when it returned from it.
 * False: there is none, or the handler did not ask to be told (SA_SIGINFO). It
 * is one that was sent, or SIGSYS of a refused system call. A fault's is that
 * of ptrace_thread_fault_context. */
bool ptrace_thread_handled_signal(
    ptrace_thread_t *thread, ptrace_signal_t *out);
/* False: the context is not from a handler's stack. */
bool ptrace_context_trap(const ptrace_context_t *c, ptrace_trap_t *out);
/* The signal that belongs to it. */
bool ptrace_context_signal(const ptrace_context_t *c, ptrace_signal_t *out);
bool ptrace_context_register(
    const ptrace_context_t *c, int32_t number, uint64_t *out);
/* The instruction at its program counter, with effective addresses. */
bool ptrace_context_instruction(
    const ptrace_context_t *c, ptrace_instruction_t *out, bt_error_t *e);
/* One element (from 0) of the gather or scatter at the program counter: where
 * it would access memory, and its index. False: there is none, its mask says
 * that it is not (or no longer) accessed, or the vector registers are not
 * known. */
bool ptrace_context_lane(const ptrace_context_t *c, uint32_t lane,
    bt_addr_t *address, uint64_t *index);
/* The frame of the thread that the context belongs to; NULL: not shown. */
ptrace_frame_t *ptrace_context_frame(const ptrace_context_t *c);

/* The system call the thread is in; false: none, or unknown. */
bool ptrace_thread_syscall(ptrace_thread_t *thread, ptrace_syscall_t *out);
/* A module's thread-local block of a thread. */
bool ptrace_thread_local_block(ptrace_thread_t *thread,
    const ptrace_module_t *m, bt_addr_t *address, uint64_t *size);
/* The stack: from the stack pointer up to where the mapping ends. */
bool ptrace_thread_stack(
    ptrace_thread_t *thread, bt_addr_t *start, bt_addr_t *end);

/* Registers of any frame, as far as they are known there; inlined frames have
 * those of the function that holds them. */
bool ptrace_frame_register(ptrace_frame_t *f, int32_t number, uint64_t *out);
/* The canonical frame address: the stack pointer before the call. */
bool ptrace_frame_cfa(ptrace_frame_t *f, bt_addr_t *out);

/* The stack guard that a function compiled with -fstack-protector keeps at the
 * end of its local variables. Intact when found and expected are the same. */
typedef struct ptrace_guard {
	uint32_t size;
	bt_addr_t address;
	uint64_t found, expected;
	uint64_t reserved[2];
} ptrace_guard_t;
#define PTRACE_GUARD_INIT                                                      \
	{                                                                      \
		.size = sizeof(ptrace_guard_t)                                 \
	}
/* False: the function keeps none, has not stored it yet, or the frame is not
 * known for certain (its callees had no call frame information). */
bool ptrace_frame_guard(ptrace_frame_t *f, ptrace_guard_t *out);

/* The member at an offset of what a pointer variable of the frame points to:
 * "list.next", "items[3].name". By the type alone: the pointer may be null.
 * False: there is none, or no debug information. */
bool ptrace_frame_member(ptrace_frame_t *f, const char *variable,
    uint64_t offset, char *out, size_t size);

/* Variables, valid for the run. */
uint32_t ptrace_frame_n_variables(ptrace_frame_t *f);
ptrace_variable_t *ptrace_frame_variable(ptrace_frame_t *f, uint32_t i);
bool ptrace_variable_info(
    const ptrace_variable_t *v, ptrace_variable_info_t *out);
const ptrace_variable_t *ptrace_variable_child(
    const ptrace_variable_t *v, uint32_t i);

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

/* "SIGSEGV", and for its code "SEGV_MAPERR"; NULL: unknown. */
const char *ptrace_signal_name(int32_t number);
const char *ptrace_signal_code_name(int32_t number, int32_t code);
const char *ptrace_register_name(int32_t number); /* NULL: unknown */
/* Where the platform passes the i-th integer argument of a function, from 0;
 * -1: on the stack. */
int32_t ptrace_argument_register(unsigned i);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif /* PTRACE_TARGET_H */

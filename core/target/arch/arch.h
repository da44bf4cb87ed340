/* SPDX-License-Identifier: MIT */
/*
 * The only place that knows register names and layouts. Everything else names
 * registers by their DWARF number (System V x86-64 ABI, figure 3.36).
 *
 * `struct regs` is what unwinding needs: the 16 general registers and the
 * program counter (DWARF 16, the return address column), with a bit each that
 * says whether the value is known in this frame. `struct arch_thread_regs` is
 * what the kernel gave for a thread: those plus segments, flags, orig_ax, and
 * the raw extended state.
 */
#ifndef TARGET_ARCH_H
#define TARGET_ARCH_H

#include "base/buf.h"
#include "base/view.h"

enum { ARCH_REGS = 17, ARCH_PC = 16, ARCH_SP = 7, ARCH_FP = 6 };

struct regs {
	uint64_t value[ARCH_REGS];
	uint32_t known; /* bit N: value[N] is the frame's value */
};

static inline bool
regs_get(const struct regs *r, unsigned number, uint64_t *out)
{
	if (number >= ARCH_REGS || (r->known >> number & 1) == 0)
		return false;
	*out = r->value[number];
	return true;
}

static inline void
regs_set(struct regs *r, unsigned number, uint64_t value)
{
	if (number < ARCH_REGS) {
		r->value[number] = value;
		r->known |= UINT32_C(1) << number;
	}
}

static inline void
regs_forget(struct regs *r, unsigned number)
{
	if (number < ARCH_REGS)
		r->known &= ~(UINT32_C(1) << number);
}

/* Where the parts of the extended state lie that hold vector registers, by
 * their offsets; 0: unknown. */
struct arch_xstate_layout {
	uint32_t avx, mask, zmm_high, zmm16;
};

struct arch_thread_regs {
	struct regs regs;
	uint64_t flags, fs_base, gs_base, orig_ax;
	uint16_t cs, ss, ds, es, fs, gs;
	bool complete;	       /* flags, bases and segments are known */
	const uint8_t *xstate; /* NT_X86_XSTATE or NT_FPREGSET bytes, or NULL */
	size_t xstate_size;
	bool xstate_is_fx; /* only the 512-byte FXSAVE area */
	const struct arch_xstate_layout *layout; /* NULL: its size tells */
};

/* Name for a DWARF register number, NULL when unknown: "rip", "xmm3", ... */
const char *arch_reg_name(unsigned number);
/* Registers to show for a thread, in the order people know; returns false past
 * the last one. Includes flags, segments and bases. */
bool arch_reg_list(const struct arch_thread_regs *r, unsigned i,
    const char **name, uint64_t *value);

/* Reads the elf_gregset_t of an NT_PRSTATUS note, or user_regs_struct: 27 words
 * of 8 bytes. */
bool arch_gregs_parse(struct view v, struct arch_thread_regs *out);

/* A thread in a system call, as far as the kernel tells of one that it cannot
 * stop (/proc/PID/task/TID/syscall). */
void arch_syscall_regs(struct arch_thread_regs *out, int64_t number,
    const uint64_t arguments[6], uint64_t sp, uint64_t pc);

/*
 * Bytes of any register in a frame: general registers from regs (of that
 * frame), vector and x87 registers from the thread's extended state, only when
 * innermost (they are not preserved across calls). Returns the number of bytes
 * written, 0 when unknown or larger than size: 8, 10 for x87, 16 for a vector
 * register, 32 when size allows and the upper half was saved.
 */
size_t arch_reg_bytes(const struct arch_thread_regs *thread,
    const struct regs *regs, bool innermost, unsigned number, uint8_t *out,
    size_t size);

/* What the thread's local storage is counted from; false: unknown or unset. */
bool arch_thread_pointer(const struct arch_thread_regs *thread, bt_addr_t *out);

/* True for registers the ABI makes the callee preserve. */
bool arch_callee_saved(unsigned number);

/* 48-bit canonical form (or 57-bit with la57). */
bool arch_is_canonical(uint64_t address, bool la57);

/* The PC lies on the signal trampoline (mov $15,%rax; syscall)? code holds the
 * bytes at pc. When it does, arch_sigframe_regs reads the interrupted context
 * from the stack through read. */
bool arch_is_sigtramp(const uint8_t *code, size_t size);
typedef size_t arch_read_fn(
    void *ctx, bt_addr_t address, void *out, size_t size);
bool arch_sigframe_regs(
    bt_addr_t sp, arch_read_fn *read, void *ctx, struct regs *out);

/* What the kernel left beside them of the exception that caused the signal:
 * its number, error code and, of a page fault, the address. These are stale
 * when the signal was not caused by an exception. */
struct arch_trap {
	uint64_t error, number, address;
	uint16_t cs;
	bool page_fault, write, execute, protection;
	/* The siginfo that lies behind, if the handler asked for one. */
	int info_number, info_code;
	uint64_t info_address;
};
bool arch_sigframe_trap(
    bt_addr_t sp, arch_read_fn *read, void *ctx, struct arch_trap *out);

/* DWARF number of the register with the i-th integer argument of a function;
 * -1: on the stack. */
int arch_argument_register(unsigned i);

/* The system call a thread is in: number and six arguments. */
bool arch_syscall(
    const struct arch_thread_regs *r, int64_t *number, uint64_t args[6]);

/* PC of the instruction that ends at pc is a call? (checks the bytes before a
 * return address; code ends at the return address). */
bool arch_is_after_call(const uint8_t *code_before, size_t size);

#endif /* TARGET_ARCH_H */

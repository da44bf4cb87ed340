/* SPDX-License-Identifier: MIT */
/*
 * The only place that knows register names and layouts. Everything else names
 * registers by their DWARF number.
 *
 * One `struct arch` describes an architecture, in a file of its own, with an
 * entry in the table of arch.c. A further one is such a file: for threads,
 * registers, mappings and modules the description of its elf_gregset_t is
 * enough; to unwind it fills in what `struct arch_unwind` asks for.
 *
 * `struct regs` is what unwinding needs: general registers, stack pointer and
 * program counter, with a bit each that says whether the value is known in this
 * frame. A register's place in it is its DWARF number on x86-64 (System V ABI,
 * figure 3.36); where another architecture numbers otherwise, three of its
 * places are exchanged, so that ARCH_PC, ARCH_SP and ARCH_FP are constants on
 * all of them, and cost nothing. Those who have a DWARF number ask arch_place.
 *
 * `struct arch_thread_regs` is what the kernel gave for a thread: those plus
 * segments, flags, orig_ax, and the raw extended state.
 */
#ifndef TARGET_ARCH_H
#define TARGET_ARCH_H

#include <stddef.h>

#include "base/buf.h"
#include "base/view.h"

enum {
	ARCH_PC = 16,
	ARCH_SP = 7,
	ARCH_FP = 6,
	ARCH_X86_64_RESULT = 0, /* of a function or a system call */
	ARCH_X86_64_REGS = 17,	/* places that x86-64 uses */
	/* aarch64: 31 general registers, sp, pc, and the lower halves of the
	 * eight vector registers that callees preserve. */
	ARCH_REGS = 41,
	ARCH_NO_PLACE = 0xff
};

struct regs {
	uint64_t known; /* bit N: value[N] is the frame's value */
	uint64_t value[ARCH_REGS];
};

/* wide: not only what x86-64 has, whose walks must not pay for others. */
static inline void
regs_copy(struct regs *to, const struct regs *from, bool wide)
{
	memcpy(to, from, offsetof(struct regs, value[ARCH_X86_64_REGS]));
	if (wide)
		memcpy(&to->value[ARCH_X86_64_REGS],
		    &from->value[ARCH_X86_64_REGS],
		    (ARCH_REGS - ARCH_X86_64_REGS) * sizeof(to->value[0]));
}

static inline uint64_t
regs_bit(unsigned place)
{
	return UINT64_C(1) << place;
}

static inline bool
regs_get(const struct regs *r, unsigned place, uint64_t *out)
{
	if (place >= ARCH_REGS || (r->known >> place & 1) == 0)
		return false;
	*out = r->value[place];
	return true;
}

static inline void
regs_set(struct regs *r, unsigned place, uint64_t value)
{
	if (place < ARCH_REGS) {
		r->value[place] = value;
		r->known |= regs_bit(place);
	}
}

static inline void
regs_forget(struct regs *r, unsigned place)
{
	if (place < ARCH_REGS)
		r->known &= ~regs_bit(place);
}

/* Where the parts of the extended state lie that hold vector registers, by
 * their offsets; 0: unknown. */
struct arch_xstate_layout {
	uint32_t avx, mask, zmm_high, zmm16;
};

struct arch;

struct arch_thread_regs {
	struct regs regs;
	const struct arch *arch; /* NULL: x86-64, the machine we run on */
	/* Of other architectures: elf_gregset_t, and the floating-point and
	 * vector registers as their note has them. */
	struct view gregs, vectors;
	uint64_t thread_pointer; /* likewise; 0: unknown */
	uint64_t flags, fs_base, gs_base, orig_ax;
	uint16_t cs, ss, ds, es, fs, gs;
	bool complete;	       /* flags, bases and segments are known */
	const uint8_t *xstate; /* NT_X86_XSTATE or NT_FPREGSET bytes, or NULL */
	size_t xstate_size;
	bool xstate_is_fx; /* only the 512-byte FXSAVE area */
	const struct arch_xstate_layout *layout; /* NULL: its size tells */
};

/* One register of elf_gregset_t. */
struct arch_greg {
	const char *name; /* NULL: padding */
	uint8_t place;	  /* in struct regs, or ARCH_NO_PLACE */
	uint8_t size;	  /* bytes; 0: those of a word */
};

struct arch_unwind;

struct arch {
	const char *name; /* as uname -m says it */
	uint16_t machine; /* e_machine */
	bool narrow;	  /* ELFCLASS32: words of 4 bytes */
	bool big_endian;
	/* elf_gregset_t, in order; NULL on x86-64, which is read by hand. */
	const struct arch_greg *gregs;
	uint8_t n_gregs;
	/* By DWARF number, the place in struct regs. */
	const uint8_t *places;
	uint8_t n_places;
	/* NULL: nothing is known but what the notes say. */
	const struct arch_unwind *unwind;
	/* As arch_reg_bytes and arch_thread_pointer, for numbers that have no
	 * place; may be NULL. */
	size_t (*vector_bytes)(const struct arch_thread_regs *thread,
	    unsigned number, uint8_t *out, size_t size);
	bool (*thread_pointer)(
	    const struct arch_thread_regs *thread, bt_addr_t *out);
	/* Takes in the note of floating-point and vector registers. */
	void (*take_vectors)(struct arch_thread_regs *out, struct view note);
};

extern const struct arch arch_x86_64, arch_aarch64, arch_i386, arch_arm,
    arch_riscv64, arch_ppc64le, arch_s390x;

/* Machines that are not in the table: words and byte order, no registers. */
extern const struct arch arch_unknown_64, arch_unknown_64be, arch_unknown_32,
    arch_unknown_32be;

/* The architecture of an ELF file by its header; NULL: not in the table. */
const struct arch *arch_find(uint16_t machine, bool narrow, bool big_endian);
/* The i-th of the table, NULL past the last. */
const struct arch *arch_at(size_t i);

/* Where struct regs has a register; ARCH_NO_PLACE, at which nothing is known,
 * for those that it does not hold. arch may be NULL: x86-64. */
static inline unsigned
arch_place(const struct arch *arch, unsigned number)
{
	if (arch == NULL || arch == &arch_x86_64)
		return number < ARCH_X86_64_REGS ? number : ARCH_NO_PLACE;
	return number < arch->n_places ? arch->places[number] : ARCH_NO_PLACE;
}

/* How many places of struct regs are used. */
static inline unsigned
arch_n_places(const struct arch *arch)
{
	return arch == NULL || arch == &arch_x86_64 ? ARCH_X86_64_REGS
						    : ARCH_REGS;
}

/* Bytes of an address and of a general register. */
static inline unsigned
arch_word(const struct arch *arch)
{
	return arch->narrow ? 4 : 8;
}

/* Reads an elf_gregset_t; arch as of the core. */
bool arch_gregs_read(
    const struct arch *arch, struct view v, struct arch_thread_regs *out);

/* Name for a DWARF register number of x86-64, NULL when unknown: "rip",
 * "xmm3", ... */
const char *arch_reg_name(unsigned number);
/* Registers to show for a thread, in the order people know; returns false past
 * the last one. Includes flags, segments and bases. */
bool arch_reg_list(const struct arch_thread_regs *r, unsigned i,
    const char **name, uint64_t *value);

/* Reads x86-64's elf_gregset_t of an NT_PRSTATUS note, or user_regs_struct: 27
 * words of 8 bytes. */
bool arch_gregs_parse(struct view v, struct arch_thread_regs *out);

/* A thread in a system call, as far as the kernel tells of one that it cannot
 * stop (/proc/PID/task/TID/syscall). */
void arch_syscall_regs(struct arch_thread_regs *out, int64_t number,
    const uint64_t arguments[6], uint64_t sp, uint64_t pc);

/*
 * Bytes of any register in a frame, by its DWARF number: general registers from
 * regs (of that frame), vector and x87 registers from the thread's extended
 * state, only when innermost (they are not preserved across calls). Returns the
 * number of bytes written, 0 when unknown or larger than size: 8, 10 for x87,
 * 16 for a vector register, 32 when size allows and the upper half was saved.
 */
size_t arch_reg_bytes(const struct arch_thread_regs *thread,
    const struct regs *regs, bool innermost, unsigned number, uint8_t *out,
    size_t size);

/* What the thread's local storage is counted from; false: unknown or unset. */
bool arch_thread_pointer(const struct arch_thread_regs *thread, bt_addr_t *out);

/* True for registers that the ABI of x86-64 makes the callee preserve. */
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
/* The signals that were blocked when the handler was called, and are again when
 * it returns: bit n - 1 is signal n. */
bool arch_sigframe_blocked(
    bt_addr_t sp, arch_read_fn *read, void *ctx, uint64_t *out);

/* DWARF number of the register with the i-th integer argument of a function;
 * -1: on the stack. */
int arch_argument_register(unsigned i);

/* The system call a thread is in: number and six arguments. */
bool arch_syscall(
    const struct arch_thread_regs *r, int64_t *number, uint64_t args[6]);

/* PC of the instruction that ends at pc is a call? (checks the bytes before a
 * return address; code ends at the return address). */
bool arch_is_after_call(const uint8_t *code_before, size_t size);

/* What the functions without a struct arch answer for: signal frames, traps,
 * system calls, arguments, instructions. Others must not ask them. */
static inline bool
arch_is_x86_64(const struct arch *arch)
{
	return arch == NULL || arch == &arch_x86_64;
}

#endif /* TARGET_ARCH_H */

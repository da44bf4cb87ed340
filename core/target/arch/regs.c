/* SPDX-License-Identifier: MIT */
/*
 * Registers of x86-64: names and numbers by DWARF (System V ABI for AMD64,
 * figure 3.36), the kernel's struct user_regs_struct, and the FXSAVE and XSAVE
 * areas (Intel SDM volume 1, 10.5.1 and 13.4).
 */
#include <stdio.h>

#include "target/arch/table.h"
#include "target/arch/xstate.h"

enum {
	USER_REGS_WORDS = 27,
	FXSAVE_SIZE = 512,
	FXSAVE_FCW = 0,
	FXSAVE_FSW = 2,
	FXSAVE_MXCSR = 24,
	FXSAVE_ST = 32,

	DWARF_XMM0 = 17,
	DWARF_ST0 = 33,
	DWARF_MM0 = 41,
	DWARF_FLAGS = 49,
	DWARF_ES = 50,
	DWARF_CS,
	DWARF_SS,
	DWARF_DS,
	DWARF_FS,
	DWARF_GS,
	DWARF_FS_BASE = 58,
	DWARF_GS_BASE = 59,
	DWARF_MXCSR = 64,
	DWARF_FCW = 65,
	DWARF_FSW = 66
};

static const char *const names[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
    "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip",
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
    "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st0", "st1",
    "st2", "st3", "st4", "st5", "st6", "st7", "mm0", "mm1", "mm2", "mm3", "mm4",
    "mm5", "mm6", "mm7", "eflags", "es", "cs", "ss", "ds", "fs", "gs", NULL,
    NULL, "fs_base", "gs_base", NULL, NULL, "tr", "ldtr", "mxcsr", "fcw", "fsw",
    "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
    "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31"};

const char *
arch_reg_name(unsigned number)
{
	static const char *const masks[] = {
	    "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"};
	const unsigned first_mask = 118;

	if (number < sizeof(names) / sizeof(names[0]))
		return names[number];
	if (number >= first_mask && number < first_mask + 8)
		return masks[number - first_mask];
	return NULL;
}

/* Where struct user_regs_struct keeps each of the first 17. */
static const uint8_t user_regs_of[USER_REGS_WORDS] = {15, 14, 13, 12, 6, 3, 11,
    10, 9, 8, 0, 2, 1, 4, 5, 0xff, 16, 0xff, 0xff, 7, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff};

bool
arch_gregs_parse(struct view v, struct arch_thread_regs *out)
{
	uint64_t words[USER_REGS_WORDS];

	for (unsigned i = 0; i < USER_REGS_WORDS; i++)
		words[i] = view_u64(&v);
	if (!view_ok(&v))
		return false;
	for (unsigned i = 0; i < USER_REGS_WORDS; i++) {
		if (user_regs_of[i] != 0xff)
			regs_set(&out->regs, user_regs_of[i], words[i]);
	}
	out->orig_ax = words[15];
	out->cs = (uint16_t)words[17];
	out->flags = words[18];
	out->ss = (uint16_t)words[20];
	out->fs_base = words[21];
	out->gs_base = words[22];
	out->ds = (uint16_t)words[23];
	out->es = (uint16_t)words[24];
	out->fs = (uint16_t)words[25];
	out->gs = (uint16_t)words[26];
	out->complete = true;
	return true;
}

/* Linux system calls: arguments in rdi, rsi, rdx, r10, r8, r9; the instruction
 * leaves the return address in rcx. */
void
arch_syscall_regs(struct arch_thread_regs *out, int64_t number,
    const uint64_t arguments[6], uint64_t sp, uint64_t pc)
{
	static const uint8_t order[6] = {5, 4, 1, 10, 8, 9};
	const unsigned rcx = 2;

	regs_set(&out->regs, ARCH_SP, sp);
	regs_set(&out->regs, ARCH_PC, pc);
	if (number < 0)
		return;
	out->orig_ax = (uint64_t)number;
	regs_set(&out->regs, rcx, pc);
	for (unsigned i = 0; i < 6; i++)
		regs_set(&out->regs, order[i], arguments[i]);
}

bool
x86_64_reg_list(const struct arch_thread_regs *r, unsigned i, const char **name,
    uint64_t *value)
{
	static const uint8_t order[ARCH_X86_64_REGS] = {
	    0, 3, 2, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	const struct {
		const char *name;
		uint64_t value;
	} others[] = {{"eflags", r->flags}, {"cs", r->cs}, {"ss", r->ss},
	    {"ds", r->ds}, {"es", r->es}, {"fs", r->fs}, {"gs", r->gs},
	    {"fs_base", r->fs_base}, {"gs_base", r->gs_base},
	    {"orig_rax", r->orig_ax}};
	const unsigned n_others = sizeof(others) / sizeof(others[0]);

	const bool all = r->regs.known == (UINT32_C(1) << ARCH_X86_64_REGS) - 1;

	if (all && i < ARCH_X86_64_REGS) {
		*name = names[order[i]];
		*value = r->regs.value[order[i]];
		return true;
	}
	if (all)
		i -= ARCH_X86_64_REGS;
	for (unsigned k = 0; !all && k < ARCH_X86_64_REGS; k++) {
		if (!regs_get(&r->regs, order[k], value))
			continue;
		if (i-- == 0) {
			*name = names[order[k]];
			return true;
		}
	}
	if (!r->complete || i >= n_others)
		return false;
	*name = others[i].name;
	*value = others[i].value;
	return true;
}

static size_t
put(uint8_t *out, size_t size, const void *from, size_t n)
{
	if (size < n)
		return 0;
	memcpy(out, from, n);
	return n;
}

static size_t
put_u64(uint8_t *out, size_t size, uint64_t value)
{
	return put(out, size, &value, sizeof(value));
}

/* The 16 bytes of xmmN, or the 32 of ymmN when asked for and saved. */
static size_t
vector_bytes(
    const struct arch_thread_regs *t, unsigned n, uint8_t *out, size_t size)
{
	if (size >= 32 && arch_vector(t, n, 32, out))
		return 32;
	return size >= 16 && arch_vector(t, n, 16, out) ? 16 : 0;
}

static size_t
x87_bytes(const struct arch_thread_regs *t, unsigned number, uint8_t *out,
    size_t size)
{
	struct view v = view_of(t->xstate, t->xstate_size), part;
	unsigned index, top;
	const uint8_t *bytes;
	size_t n = 10;

	index = number - DWARF_ST0;
	if (number >= DWARF_MM0) {
		/* mmN is the low part of physical register N; the area is
		 * kept in stack order. */
		view_seek(&v, FXSAVE_FSW);
		top = view_u16(&v) >> 11 & 7;
		index = (number - DWARF_MM0 - top) & 7;
		n = 8;
	}
	part = view_sub(&v, FXSAVE_ST + 16 * (size_t)index, n);
	bytes = view_bytes(&part, n);
	return bytes != NULL ? put(out, size, bytes, n) : 0;
}

static size_t
control_bytes(const struct arch_thread_regs *t, unsigned number, uint8_t *out,
    size_t size)
{
	struct view v = view_of(t->xstate, t->xstate_size);
	size_t at = FXSAVE_MXCSR, n = 4;
	const uint8_t *bytes;

	if (number == DWARF_FCW || number == DWARF_FSW) {
		at = number == DWARF_FCW ? FXSAVE_FCW : FXSAVE_FSW;
		n = 2;
	}
	view_seek(&v, at);
	bytes = view_bytes(&v, n);
	return bytes != NULL ? put(out, size, bytes, n) : 0;
}

/* Segments and flags are the thread's: no call preserves or restores them. */
static bool
system_value(const struct arch_thread_regs *t, unsigned number, uint64_t *value)
{
	switch (number) {
	case DWARF_FLAGS:
		*value = t->flags;
		return true;
	case DWARF_ES:
		*value = t->es;
		return true;
	case DWARF_CS:
		*value = t->cs;
		return true;
	case DWARF_SS:
		*value = t->ss;
		return true;
	case DWARF_DS:
		*value = t->ds;
		return true;
	case DWARF_FS:
		*value = t->fs;
		return true;
	case DWARF_GS:
		*value = t->gs;
		return true;
	case DWARF_FS_BASE:
		*value = t->fs_base;
		return true;
	case DWARF_GS_BASE:
		*value = t->gs_base;
		return true;
	default:
		return false;
	}
}

size_t
x86_64_reg_bytes(const struct arch_thread_regs *thread, const struct regs *regs,
    bool innermost, unsigned number, uint8_t *out, size_t size)
{
	uint64_t value;

	if (number < ARCH_X86_64_REGS)
		return regs_get(regs, number, &value)
		    ? put_u64(out, size, value)
		    : 0;
	if (thread == NULL)
		return 0;
	/* The thread pointer is the same in all frames. */
	if (thread->complete && (innermost || number == DWARF_FS_BASE) &&
	    system_value(thread, number, &value))
		return put_u64(out, size, value);
	if (!innermost || thread->xstate == NULL ||
	    thread->xstate_size < FXSAVE_SIZE)
		return 0;
	if (number >= DWARF_XMM0 && number < DWARF_XMM0 + 16)
		return vector_bytes(thread, number - DWARF_XMM0, out, size);
	if (number >= DWARF_ST0 && number < DWARF_MM0 + 8)
		return x87_bytes(thread, number, out, size);
	if (number >= DWARF_MXCSR && number <= DWARF_FSW)
		return control_bytes(thread, number, out, size);
	return 0;
}

bool
x86_64_thread_pointer(const struct arch_thread_regs *thread, bt_addr_t *out)
{
	*out = thread->fs_base;
	return thread->complete && thread->fs_base != 0;
}

/* rbx, rbp, rsp, r12 to r15 (System V ABI for AMD64, figure 3.4). */
bool
arch_callee_saved(unsigned number)
{
	const uint32_t mask = 1u << 3 | 1u << 6 | 1u << 7 | 0xfu << 12;

	return number < 16 && (mask >> number & 1) != 0;
}

bool
arch_is_canonical(uint64_t address, bool la57)
{
	unsigned shift = la57 ? 7 : 16;

	return (uint64_t)((int64_t)(address << shift) >> shift) == address;
}

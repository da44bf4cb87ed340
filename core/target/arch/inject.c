/* SPDX-License-Identifier: MIT */
/*
 * Signal frames as the kernel lays them out (arch/x86/include/uapi/asm/
 * sigcontext.h, ucontext.h; arch/x86/kernel/signal_64.c).
 */
#include <cpuid.h>

#include "target/arch/arch.h"
#include "target/arch/inject.h"

enum { /* in struct user_regs_struct, words */
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	EFLAGS,
	RSP,
	SS,
	WORDS = ARCH_GREGS_SIZE / 8
};

enum { /* in the frame, bytes */
	AT_FLAGS = 8,
	AT_STACK_FLAGS = 32,
	AT_MCONTEXT = 48,
	AT_MASK = AT_MCONTEXT + 256
};

enum { /* in the mcontext, words; segments lie in one */
	MC_FLAGS = 17,
	MC_SEGMENTS,
	MC_FPSTATE = 23
};

enum { /* uc_flags */
	UC_FP_XSTATE = 1,
	UC_SIGCONTEXT_SS = 2,
	UC_STRICT_RESTORE_SS = 4
};

enum { /* errors by which the kernel says how a call is restarted */
	ERESTARTSYS = 512,
	ERESTARTNOINTR = 513,
	ERESTARTNOHAND = 514,
	ERESTART_RESTARTBLOCK = 516,
	NR_RESTART_SYSCALL = 219,
	SYSCALL_SIZE = 2
};

static uint64_t
word(const uint8_t *gregs, unsigned i)
{
	uint64_t value;

	memcpy(&value, gregs + i * 8, sizeof(value));
	return value;
}

static void
set_word(uint8_t *gregs, unsigned i, uint64_t value)
{
	memcpy(gregs + i * 8, &value, sizeof(value));
}

bool
arch_find_call(const uint8_t *code, size_t size, size_t *offset)
{
	static const uint8_t call[] = {0x0f, 0x05, 0xc3};
	const uint8_t *at = size != 0 ? memmem(code, size, call, sizeof(call))
				      : NULL;

	if (at == NULL)
		return false;
	*offset = (size_t)(at - code);
	return true;
}

bool
arch_find_trampoline(const uint8_t *code, size_t size, size_t *offset)
{
	for (size_t i = 0; i < size; i++) {
		const uint8_t *at = memchr(code + i, 0x0f, size - i);
		size_t end;

		if (at == NULL)
			return false;
		/* The number 15; before it lies the opcode of the move. */
		i = end = (size_t)(at - code);
		for (size_t back = 1; back <= 3 && back <= end; back++) {
			if (!arch_is_sigtramp(
				code + end - back, size - (end - back)))
				continue;
			*offset = end - back;
			return true;
		}
	}
	return false;
}

bool
arch_is_64(const uint8_t gregs[ARCH_GREGS_SIZE])
{
	const uint64_t user_cs = 0x33;

	return word(gregs, CS) == user_cs;
}

bool
arch_in_syscall(const uint8_t gregs[ARCH_GREGS_SIZE])
{
	return (int64_t)word(gregs, ORIG_RAX) >= 0;
}

bool
arch_has_restart_block(const uint8_t gregs[ARCH_GREGS_SIZE])
{
	return arch_in_syscall(gregs) &&
	    (int64_t)word(gregs, RAX) == -ERESTART_RESTARTBLOCK;
}

/* ---- the extended state ---- */

/* Where the last of these components ends in the standard form (Intel SDM
 * volume 1, 13.4.2); 0: this processor does not tell. */
static size_t
xstate_end(uint64_t mask)
{
	const unsigned leaf = 0xd, first = 2, last = 62;
	size_t end = 512 + 64;

	for (unsigned i = first; i <= last; i++) {
		unsigned size, offset, c, d;

		if ((mask >> i & 1) == 0)
			continue;
		if (!__get_cpuid_count(leaf, i, &size, &offset, &c, &d) ||
		    size == 0)
			return 0;
		if (offset + (size_t)size > end)
			end = offset + (size_t)size;
	}
	return end;
}

size_t
arch_frame_xstate(
    const uint8_t *xstate, size_t size, uint8_t out[ARCH_INJECT_XSTATE_MAX])
{
	/* Tiles are left out as long as they are not in use: without the
	 * permission to use them the kernel takes no frame with them. */
	const uint64_t tiles = UINT64_C(3) << 17;
	const size_t at_mask = 464, at_words = 464, at_used = 512;
	const uint32_t magic1 = 0x46505853, magic2 = 0x46505845;
	uint64_t mask, used;
	uint32_t words[12] = {0};
	size_t end;

	if (size < 576)
		return 0;
	memcpy(&mask, xstate + at_mask, sizeof(mask));
	memcpy(&used, xstate + at_used, sizeof(used));
	if ((used & tiles) == 0)
		mask &= ~tiles;
	end = xstate_end(mask);
	if (end == 0 || end > size ||
	    end + sizeof(magic2) > ARCH_INJECT_XSTATE_MAX)
		return 0;
	memcpy(out, xstate, end);
	used &= mask;
	memcpy(out + at_used, &used, sizeof(used));
	/* struct _fpx_sw_bytes */
	words[0] = magic1;
	words[1] = (uint32_t)(end + sizeof(magic2));
	memcpy(&words[2], &mask, sizeof(mask));
	words[4] = (uint32_t)end;
	memcpy(out + at_words, words, sizeof(words));
	memcpy(out + end, &magic2, sizeof(magic2));
	return end + sizeof(magic2);
}

/* ---- frames ---- */

static void
put(uint8_t *out, size_t at, uint64_t value)
{
	memcpy(out + at, &value, sizeof(value));
}

static void
frame(uint8_t out[ARCH_FRAME_SIZE], uint64_t trampoline,
    const uint8_t gregs[ARCH_GREGS_SIZE], uint64_t sigmask, uint64_t xstate)
{
	static const uint8_t order[17] = {R8, R9, R10, R11, R12, R13, R14, R15,
	    RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP, RIP};
	/* No mode of an alternate stack: it is refused, and stays as it was. */
	const uint64_t no_mode = 0x40;
	const unsigned ss_shift = 48;

	memset(out, 0, ARCH_FRAME_SIZE);
	put(out, 0, trampoline);
	put(out, AT_FLAGS,
	    UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS |
		(xstate != 0 ? UC_FP_XSTATE : 0));
	put(out, AT_STACK_FLAGS, no_mode);
	for (unsigned i = 0; i < 17; i++)
		put(out, AT_MCONTEXT + i * 8, word(gregs, order[i]));
	put(out, AT_MCONTEXT + MC_FLAGS * 8, word(gregs, EFLAGS));
	put(out, AT_MCONTEXT + MC_SEGMENTS * 8,
	    (word(gregs, CS) & 0xffff) | word(gregs, SS) << ss_shift);
	put(out, AT_MCONTEXT + MC_FPSTATE * 8, xstate);
	put(out, AT_MASK, sigmask);
}

/* As the kernel would, had there been no signal (arch_do_signal_or_restart). */
static void
restart(uint8_t gregs[ARCH_GREGS_SIZE])
{
	if (!arch_in_syscall(gregs))
		return;
	switch (-(int64_t)word(gregs, RAX)) {
	case ERESTARTSYS:
	case ERESTARTNOINTR:
	case ERESTARTNOHAND:
		set_word(gregs, RAX, word(gregs, ORIG_RAX));
		break;
	case ERESTART_RESTARTBLOCK:
		set_word(gregs, RAX, NR_RESTART_SYSCALL);
		break;
	default:
		return;
	}
	set_word(gregs, RIP, word(gregs, RIP) - SYSCALL_SIZE);
}

void
arch_frame_continue(uint8_t out[ARCH_FRAME_SIZE], uint64_t trampoline,
    const uint8_t gregs[ARCH_GREGS_SIZE], uint64_t sigmask, uint64_t xstate)
{
	uint8_t after[ARCH_GREGS_SIZE];

	memcpy(after, gregs, sizeof(after));
	restart(after);
	frame(out, trampoline, after, sigmask, xstate);
}

void
arch_gregs_call(uint8_t gregs[ARCH_GREGS_SIZE], uint64_t call_at,
    const struct arch_call *call, uint64_t sp)
{
	static const uint8_t order[6] = {RDI, RSI, RDX, R10, R8, R9};

	set_word(gregs, RAX, (uint64_t)call->number);
	/* Nothing that was interrupted: there is nothing to restart. */
	set_word(gregs, ORIG_RAX, UINT64_MAX);
	for (unsigned i = 0; i < 6; i++)
		set_word(gregs, order[i], call->arguments[i]);
	set_word(gregs, RIP, call_at);
	set_word(gregs, RSP, sp);
}

void
arch_frame_call(uint8_t out[ARCH_FRAME_SIZE], uint64_t trampoline,
    const uint8_t gregs[ARCH_GREGS_SIZE], uint64_t call_at,
    const struct arch_call *call, uint64_t sp)
{
	uint8_t regs[ARCH_GREGS_SIZE];

	memcpy(regs, gregs, sizeof(regs));
	arch_gregs_call(regs, call_at, call, sp);
	/* Signals wait until the last frame is done. */
	frame(out, trampoline, regs, UINT64_MAX, 0);
}

int64_t
arch_gregs_result(const uint8_t gregs[ARCH_GREGS_SIZE])
{
	return (int64_t)word(gregs, RAX);
}

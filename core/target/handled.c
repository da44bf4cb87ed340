/* SPDX-License-Identifier: MIT */
/*
 * The saved exception number is only what the thread's last exception left, so
 * an asynchronous signal (SIGALRM) saves a stale one. A saved context is
 * believed only if it explains itself: the instruction at its pc can raise
 * that exception at that address.
 */
#include <signal.h>

#include "target/arch/insn.h"
#include "target/handled.h"

/* Exceptions (Intel SDM volume 3, 6.3.1). */
enum {
	TRAP_DIVIDE = 0,
	TRAP_BREAKPOINT = 3,
	TRAP_OPCODE = 6,
	TRAP_STACK = 12,
	TRAP_PROTECTION = 13,
	TRAP_X87 = 16,
	TRAP_ALIGNMENT = 17,
	TRAP_SIMD = 19
};

enum {
	USER_CS = 0x33, /* of a 64-bit program */
	ERROR_MAX = 0x10000
};

static size_t
read_target(void *ctx, bt_addr_t address, void *out, size_t size)
{

	return target_read(ctx, address, out, size);
}

static bool
operand_explains(
    const struct insn *in, const struct insn_operand *o, bt_addr_t address)
{
	uint64_t size = o->size > 0 ? o->size : 1;

	for (unsigned i = 0; i < o->lanes; i++)
		if ((in->lanes.active >> i & 1) != 0 &&
		    address - in->lanes.effective[i] < size)
			return true;
	if (o->lanes != 0 && in->lanes.known != 0)
		return false;
	return o->effective_known == false || address - o->effective < size;
}

static bool
explains_page_fault(
    const struct insn *in, const struct arch_trap *trap, bt_addr_t pc)
{

	if (trap->address - pc < INSN_BYTES_MAX)
		return true; /* the instruction itself could not be read */
	for (unsigned i = 0; i < in->n_operands; i++)
		if (operand_explains(in, &in->operands[i], trap->address))
			return true;
	return false;
}

static bool
lane_explains_protection(const struct insn *in, const struct insn_operand *o)
{

	for (unsigned i = 0; i < o->lanes; i++)
		if ((in->lanes.active >> i & 1) != 0 &&
		    !arch_is_canonical(in->lanes.effective[i], false))
			return true;
	return in->lanes.known == 0;
}

static bool
explains_protection(struct target *t, const struct insn *in, uint64_t sp)
{
	uint64_t goal = in->target;
	bool known = in->target_known;

	if (in->privileged)
		return true;
	for (unsigned i = 0; i < in->n_operands; i++) {
		const struct insn_operand *o = &in->operands[i];

		if (o->lanes != 0) {
			if (lane_explains_protection(in, o))
				return true;
			continue;
		}
		if (o->effective_known == false ||
		    !arch_is_canonical(o->effective, false) ||
		    (o->align > 1 && o->effective % o->align != 0))
			return true;
	}
	if (in->flow == INSN_FLOW_RETURN)
		known = target_read_u64(t, sp, &goal);
	else if (in->target_operand >= 0)
		known = target_read_u64(
		    t, in->operands[in->target_operand].effective, &goal);
	return known && !arch_is_canonical(goal, false);
}

static bool
explains_itself(struct target *t, const struct arch_thread_regs *regs,
    const struct arch_trap *trap)
{
	uint64_t pc = regs->regs.value[ARCH_PC], sp = regs->regs.value[ARCH_SP];
	uint8_t code[INSN_BYTES_MAX];
	size_t got = target_read(t, pc, code, sizeof(code));
	struct insn in;

	if (trap->page_fault && trap->address == pc)
		return true;
	if (got == 0)
		return false;
	if (insn_decode(code, got, pc, regs, &regs->regs, &in) == false)
		return trap->number == TRAP_OPCODE;
	if (trap->page_fault)
		return explains_page_fault(&in, trap, pc);
	switch (trap->number) {
	case TRAP_DIVIDE:
		return in.kind == INSN_KIND_DIVIDE ||
		    in.kind == INSN_KIND_DIVIDE_SIGNED;
	case TRAP_BREAKPOINT:
		return target_read(t, pc - 1, code, 1) == 1 && code[0] == 0xcc;
	case TRAP_OPCODE:
		return in.kind == INSN_KIND_UNDEFINED;
	case TRAP_STACK:
	case TRAP_PROTECTION:
		return explains_protection(t, &in, sp);
	case TRAP_X87:
	case TRAP_SIMD:
		return in.kind == INSN_KIND_FLOAT;
	case TRAP_ALIGNMENT:
		return in.n_operands > 0;
	default:
		return false;
	}
}

/* The signal that the kernel raises for an exception. */
static int
signal_of(uint64_t trap)
{

	switch (trap) {
	case TRAP_DIVIDE:
	case TRAP_X87:
	case TRAP_SIMD:
		return SIGFPE;
	case TRAP_BREAKPOINT:
		return SIGTRAP;
	case TRAP_OPCODE:
		return SIGILL;
	case TRAP_STACK:
	case TRAP_ALIGNMENT:
		return SIGBUS;
	default:
		return SIGSEGV;
	}
}

static void
set_signal(struct target_handled *h)
{
	struct target_signal *s = &h->signal;
	const struct arch_trap *trap = &h->trap;

	s->present = true;
	/* A page fault may become SIGBUS: beyond the end of a file. */
	s->number = signal_of(trap->number);
	if (trap->info_number == s->number ||
	    (trap->page_fault && trap->info_number == SIGBUS)) {
		s->number = trap->info_number;
		s->has_info = true;
		s->code = trap->info_code;
	} else if (trap->page_fault) {
		/* A handler without SA_SIGINFO gets none: the error code says
		 * the same (arch/x86/mm/fault.c). */
		s->has_info = true;
		s->code = trap->protection ? SEGV_ACCERR : SEGV_MAPERR;
	} else if (s->number == SIGSEGV || s->number == SIGBUS) {
		s->has_info = true;
		s->code = trap->number == TRAP_ALIGNMENT ? BUS_ADRALN
							 : SI_KERNEL;
	} else if (trap->number == TRAP_DIVIDE) {
		s->has_info = true;
		s->code = FPE_INTDIV;
	}
	s->has_address = trap->page_fault;
	s->address = trap->address;
}

/* The stack pointer is in memory, or has just left it: then the fault is near
 * (the stack overflowed, and the handler has a stack of its own). */
static bool
believable_stack(struct target *t, uint64_t sp, const struct arch_trap *trap)
{
	const uint64_t near = 64 * 1024;

	return target_mapping_at(t, sp) != NULL ||
	    (trap->page_fault && trap->address - sp + near < 2 * near);
}

/* The vector registers as they were: those of the thread are the handler's. */
static void
read_xstate(struct target *t, bt_addr_t sp, struct target_handled *h)
{
	bt_addr_t address;
	size_t size;

	h->regs.xstate = NULL;
	h->regs.xstate_is_fx = false;
	if (!arch_sigframe_xstate(sp, read_target, t, &address, &size))
		return;
	h->regs.xstate_size = target_read(t, address, h->xstate, size);
	h->regs.xstate = h->xstate;
}

bool
target_handled_at(struct target *t, const struct arch_thread_regs *now,
    bt_addr_t sp, struct target_handled *out)
{
	memset(out, 0, sizeof(*out));
	if (!arch_is_x86_64(target_arch(t)))
		return false;
	/* What the frame does not hold (segment bases) has not changed. */
	out->regs = *now;
	if (!arch_sigframe_regs(sp, read_target, t, &out->regs.regs) ||
	    !arch_sigframe_trap(sp, read_target, t, &out->trap) ||
	    out->trap.cs != USER_CS || out->trap.error >= ERROR_MAX ||
	    !believable_stack(t, out->regs.regs.value[ARCH_SP], &out->trap))
		return false;
	read_xstate(t, sp, out);
	if (!explains_itself(t, &out->regs, &out->trap))
		return false;
	set_signal(out);
	return true;
}

enum target_handler
target_handler_of(int number, uint64_t before, uint64_t within)
{
	uint64_t added = within & ~before;

	if (added == 0)
		return TARGET_HANDLER_UNKNOWN;
	return (added >> (number - 1) & 1) != 0 ? TARGET_HANDLER_OF_IT
						: TARGET_HANDLER_OF_ANOTHER;
}

bool
target_blocked_at(struct target *t, bt_addr_t sp, uint64_t *out)
{

	return arch_is_x86_64(target_arch(t)) &&
	    arch_sigframe_blocked(sp, read_target, t, out);
}

/* What else lies there (pointers, most of the time) must not be taken for one:
 * so it is one of a signal that somebody sent, and somebody who can be. The
 * sender's numbers end at 24; 48 are all that the kernel writes, zeros follow
 * (copy_siginfo_to_user(), kernel/signal.c). */
bool
target_sent_at(
    struct target *t, bt_addr_t sp, struct target_signal *out, bool *clean)
{
	enum { WRITTEN = 48, ALL = 128, PIDS = 4194304 /* PID_MAX_LIMIT */ };
	static const uint8_t zeros[ALL - WRITTEN];
	const bt_addr_t siginfo = 304;
	uint8_t bytes[ALL];

	if (!arch_is_x86_64(target_arch(t)) ||
	    sp > UINT64_MAX - siginfo - sizeof(bytes) ||
	    target_read(t, sp + siginfo, bytes, sizeof(bytes)) !=
		sizeof(bytes) ||
	    !target_siginfo_parse(view_of(bytes, sizeof(bytes)), out))
		return false;
	*clean = memcmp(bytes + WRITTEN, zeros, sizeof(zeros)) == 0;
	return out->number > 0 && out->number <= 64 && out->errnum == 0 &&
	    out->has_sender && out->sender_pid >= 0 && out->sender_pid <= PIDS;
}

static bool
is_behind_syscall(struct target *t, bt_addr_t pc)
{
	static const uint8_t syscall_insn[] = {0x0f, 0x05};
	uint8_t code[2];

	return target_read(t, pc - sizeof(code), code, sizeof(code)) ==
	    sizeof(code) &&
	    memcmp(code, syscall_insn, sizeof(code)) == 0;
}

/* The kernel says where the call was made (force_sig_seccomp(),
 * kernel/signal.c). */
bool
target_refused_at(struct target *t, bt_addr_t sp, struct target_signal *out)
{
	const int seccomp = 1; /* SYS_SECCOMP */
	struct arch_trap trap;
	struct regs saved;

	if (!arch_is_x86_64(target_arch(t)) ||
	    !arch_sigframe_regs(sp, read_target, t, &saved) ||
	    !arch_sigframe_trap(sp, read_target, t, &trap) ||
	    trap.info_number != SIGSYS || trap.info_code != seccomp ||
	    trap.info_address != saved.value[ARCH_PC] ||
	    !is_behind_syscall(t, saved.value[ARCH_PC]))
		return false;
	*out = (struct target_signal){
	    .present = true,
	    .number = SIGSYS,
	    .has_info = true,
	    .code = seccomp,
	};
	return true;
}

/* tgkill(pid, tid, signal) has just returned 0: no other call has these
 * arguments. The handler need not have asked for a siginfo. */
bool
target_raised_at(struct target *t, bt_addr_t sp, int32_t pid, uint32_t tid,
    struct target_signal *out)
{
	uint64_t arguments[3];
	struct regs saved;

	if (!arch_is_x86_64(target_arch(t)) ||
	    !arch_sigframe_regs(sp, read_target, t, &saved) ||
	    saved.value[ARCH_X86_64_RESULT] != 0)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (!regs_get(&saved, arch_argument_register(i), &arguments[i]))
			return false;
	if ((int32_t)arguments[0] != pid || (uint32_t)arguments[1] != tid ||
	    !is_behind_syscall(t, saved.value[ARCH_PC]) || arguments[2] == 0 ||
	    arguments[2] > 64)
		return false;
	*out = (struct target_signal){
	    .present = true,
	    .number = (int)arguments[2],
	    .has_info = true,
	    .code = SI_TKILL,
	    .has_sender = true,
	    .sender_pid = pid,
	};
	return true;
}

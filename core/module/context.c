/* SPDX-License-Identifier: MIT */
/*
 * The moment of the fault. A crash handler (of glog, Qt, a JVM, ...) changes
 * the signal that ends the process, and the thread's registers are then those
 * of the handler. But the kernel saved the registers, the processor's error
 * code and the faulting address on the stack before the handler ran; they stay
 * there even after the handler returned.
 *
 * The saved exception number is only what the thread's last exception left, so
 * an asynchronous signal (SIGALRM) saves a stale one. A saved context is
 * believed only if it explains itself: the instruction at its pc can raise
 * that exception at that address.
 */
#include <signal.h>

#include "module/module_private.h"
#include "target/arch/insn.h"

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
	ERROR_MAX = 0x10000,
	TRAMPOLINE_BYTES = 9,
	/* How far from the stack pointer a saved context is looked for: beyond
	 * what a handler, or the calls after one returned, use. */
	SCAN_UP = 256 * 1024,
	SCAN_DOWN = 64 * 1024
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
set_signal(ptrace_context_t *c)
{
	struct target_signal *s = &c->signal;
	const struct arch_trap *trap = &c->trap;

	c->has_signal = true;
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
read_xstate(struct target *t, bt_addr_t sp, struct ptrace_context *c)
{
	bt_addr_t address;
	size_t size;

	c->regs.xstate = NULL;
	c->regs.xstate_is_fx = false;
	if (!arch_sigframe_xstate(sp, read_target, t, &address, &size))
		return;
	c->regs.xstate_size = target_read(t, address, c->xstate, size);
	c->regs.xstate = c->xstate;
}

/* A believable context that the kernel saved at sp? */
static ptrace_context_t *
context_at(ptrace_thread_t *thread, bt_addr_t sp, bool live)
{
	struct module_host *host = thread->host;
	struct target *t = host->target;
	struct ptrace_context c = {
	    .thread = thread, .from_handler = true, .live = live};
	ptrace_context_t *out;

	/* What the frame does not hold (segment bases) has not changed. */
	c.regs = thread->target->regs;
	if (!arch_sigframe_regs(sp, read_target, t, &c.regs.regs) ||
	    !arch_sigframe_trap(sp, read_target, t, &c.trap) ||
	    c.trap.cs != USER_CS || c.trap.error >= ERROR_MAX ||
	    !believable_stack(t, c.regs.regs.value[ARCH_SP], &c.trap))
		return NULL;
	read_xstate(t, sp, &c);
	if (!explains_itself(t, &c.regs, &c.trap))
		return NULL;
	set_signal(&c);
	out = ARENA_NEW(&host->snapshot->arena, struct ptrace_context);
	if (out == NULL)
		return NULL;
	*out = c;
	if (out->regs.xstate != NULL)
		out->regs.xstate = out->xstate;
	return out;
}

/* The frames as they were unwound: the outermost fault is the first one, those
 * further in are faults of handlers. */
static ptrace_context_t *
from_frames(ptrace_thread_t *thread)
{
	const struct snap_thread *t = module_snap_thread(thread);
	ptrace_context_t *c;

	for (uint32_t i = t->n_frames; i-- > 0;) {
		const struct snap_frame *f = &t->frames[i];

		if (f->signal_frame == false || f->has_sp == false)
			continue;
		c = context_at(thread, f->sp, true);
		if (c == NULL)
			continue;
		/* A return address may be past the end of its function. */
		if (i > 0)
			c->handler = t->frames[i - 1].ip - (i > 1);
		return c;
	}
	return NULL;
}

/* Is there the address of the signal trampoline? */
struct trampoline {
	bt_addr_t yes; /* the last one found */
	bt_addr_t no;  /* the last word that looked like code and was not */
};

static bool
is_trampoline(struct target *t, struct trampoline *memo, uint64_t word)
{
	uint8_t code[TRAMPOLINE_BYTES];
	size_t got;

	if (word == memo->yes)
		return word != 0;
	if (word == memo->no || word < 0x1000 || !target_is_executable(t, word))
		return false;
	got = target_read(t, word, code, sizeof(code));
	if (!arch_is_sigtramp(code, got)) {
		memo->no = word;
		return false;
	}
	memo->yes = word;
	return true;
}

/* Contexts in [low, high): the last believable one, or the first one that is
 * where the thread stands now (it returned from the handler). */
static ptrace_context_t *
from_memory(ptrace_thread_t *thread, bt_addr_t low, bt_addr_t high, bool live)
{
	const struct regs *now = &thread->target->regs.regs;
	struct target *t = thread->host->target;
	struct trampoline memo = {0, 0};
	ptrace_context_t *found = NULL, *c;
	uint64_t words[512];

	for (bt_addr_t at = low; at < high; at += sizeof(words)) {
		size_t want = high - at < sizeof(words) ? high - at
							: sizeof(words);
		size_t n = target_read(t, at, words, want) / 8;

		for (size_t i = 0; i < n; i++) {
			if (!is_trampoline(t, &memo, words[i]))
				continue;
			c = context_at(thread, at + i * 8 + 8, live);
			if (c == NULL)
				continue;
			if (live) {
				found = c;
			} else if (c->regs.regs.value[ARCH_PC] ==
				now->value[ARCH_PC] &&
			    c->regs.regs.value[ARCH_SP] ==
				now->value[ARCH_SP]) {
				return c;
			}
		}
	}
	return found;
}

static ptrace_context_t *
from_stack(ptrace_thread_t *thread)
{
	const struct target_mapping *m;
	bt_addr_t sp, low, high;
	ptrace_context_t *c;

	if (!regs_get(&thread->target->regs.regs, ARCH_SP, &sp))
		return NULL;
	sp &= ~UINT64_C(7);
	m = target_mapping_at(thread->host->target, sp);
	if (m == NULL)
		return NULL;
	high = m->end - sp > SCAN_UP ? sp + SCAN_UP : m->end;
	low = sp - m->start > SCAN_DOWN ? sp - SCAN_DOWN : m->start;
	c = from_memory(thread, sp, high, true);
	return c != NULL ? c : from_memory(thread, low, sp, false);
}

/* ---- signals that nothing in the thread caused ---- */

/* The siginfo behind the context that was saved at sp. The kernel only writes
 * it for handlers that ask for it; else something older lies there, so it must
 * be one of a signal that somebody sent. */
static bool
sent_signal_at(ptrace_thread_t *thread, bt_addr_t sp, struct target_signal *out)
{
	const bt_addr_t siginfo = 304;
	uint8_t bytes[128];
	struct target *t = thread->host->target;

	return sp <= UINT64_MAX - siginfo - sizeof(bytes) &&
	    target_read(t, sp + siginfo, bytes, sizeof(bytes)) ==
	    sizeof(bytes) &&
	    target_siginfo_parse(view_of(bytes, sizeof(bytes)), out) &&
	    out->number > 0 && out->number <= 64 && out->errnum == 0 &&
	    out->has_sender;
}

/* In a dead frame right below, whose context is where the thread stands now. */
static bool
sent_and_returned(ptrace_thread_t *thread, struct target_signal *out)
{
	const struct regs *now = &thread->target->regs.regs;
	struct target *t = thread->host->target;
	struct trampoline memo = {0, 0};
	const struct target_mapping *m;
	bt_addr_t sp, low;

	if (!regs_get(now, ARCH_SP, &sp) ||
	    (m = target_mapping_at(t, sp)) == NULL)
		return false;
	sp &= ~UINT64_C(7);
	low = sp - m->start > SCAN_DOWN ? sp - SCAN_DOWN : m->start;
	for (bt_addr_t at = sp; at > low;) {
		struct regs saved;
		uint64_t word;

		at -= 8;
		if (target_read_u64(t, at, &word) &&
		    is_trampoline(t, &memo, word) &&
		    arch_sigframe_regs(at + 8, read_target, t, &saved) &&
		    saved.value[ARCH_PC] == now->value[ARCH_PC] &&
		    saved.value[ARCH_SP] == now->value[ARCH_SP])
			return sent_signal_at(thread, at + 8, out);
	}
	return false;
}

bool
ptrace_thread_handled_signal(ptrace_thread_t *thread, ptrace_signal_t *out)
{
	const struct snap_thread *t = module_snap_thread(thread);
	struct target_signal s = {0};
	bool found = false;

	if (out->size < offsetof(ptrace_signal_t, reserved) ||
	    thread->target == NULL || thread->target->has_regs == false ||
	    !module_reads_code(thread->host))
		return false;
	for (uint32_t i = t->n_frames; i-- > 0 && found == false;)
		found = t->frames[i].signal_frame && t->frames[i].has_sp &&
		    sent_signal_at(thread, t->frames[i].sp, &s);
	if (found == false && sent_and_returned(thread, &s) == false)
		return false;
	module_signal(&s, out);
	return true;
}

ptrace_context_t *
ptrace_thread_context(ptrace_thread_t *thread)
{
	ptrace_context_t *c = thread->now;
	const struct target_signal *s;

	if (c != NULL)
		return c;
	if (thread->target == NULL || thread->target->has_regs == false)
		return NULL;
	c = ARENA_NEW(&thread->host->snapshot->arena, struct ptrace_context);
	if (c == NULL)
		return NULL;
	*c = (struct ptrace_context){
	    .thread = thread, .regs = thread->target->regs};
	s = target_signal(thread->host->target);
	if (ptrace_thread_fault(thread) && s != NULL && s->present) {
		c->has_signal = true;
		c->signal = *s;
	}
	thread->now = c;
	return c;
}

/* A signal that the kernel sent for an exception: the registers are those of
 * the fault. */
static bool
is_exception(const ptrace_context_t *now)
{
	const struct target_signal *s = &now->signal;

	return now->has_signal && s->has_info && s->code > 0;
}

ptrace_context_t *
ptrace_thread_fault_context(ptrace_thread_t *thread)
{
	ptrace_context_t *now = ptrace_thread_context(thread);

	if (thread->fault != NULL || now == NULL)
		return thread->fault;
	if (!module_reads_code(thread->host)) {
		thread->fault = now;
		return now;
	}
	thread->fault = from_frames(thread);
	if (thread->fault == NULL && now->has_signal && !is_exception(now))
		thread->fault = from_stack(thread);
	if (thread->fault == NULL)
		thread->fault = now;
	return thread->fault;
}

bool
ptrace_context_trap(const ptrace_context_t *c, ptrace_trap_t *out)
{

	if (out->size < offsetof(ptrace_trap_t, reserved) ||
	    c->from_handler == false)
		return false;
	out->number = (uint32_t)c->trap.number;
	out->error = c->trap.error;
	out->page_fault = c->trap.page_fault;
	out->write = c->trap.write;
	out->execute = c->trap.execute;
	out->protection = c->trap.protection;
	out->handler_live = c->live;
	out->address = c->trap.address;
	out->handler = c->handler;
	return true;
}

bool
ptrace_context_signal(const ptrace_context_t *c, ptrace_signal_t *out)
{
	const struct target_signal *s = &c->signal;

	if (out->size < offsetof(ptrace_signal_t, reserved) ||
	    c->has_signal == false)
		return false;
	module_signal(s, out);
	return true;
}

bool
ptrace_context_instruction(
    const ptrace_context_t *c, ptrace_instruction_t *out, bt_error_t *e)
{

	return module_decode(c->thread->host, &c->regs, out, e);
}

bool
ptrace_context_lane(const ptrace_context_t *c, uint32_t lane,
    bt_addr_t *address, uint64_t *index)
{
	struct insn in;

	if (lane >= INSN_LANES_MAX ||
	    !module_decode_raw(c->thread->host, &c->regs, &in, NULL) ||
	    (in.lanes.known & in.lanes.active & 1u << lane) == 0)
		return false;
	*address = in.lanes.effective[lane];
	*index = in.lanes.index[lane];
	return true;
}

ptrace_frame_t *
ptrace_context_frame(const ptrace_context_t *c)
{
	const struct snap_thread *t = module_snap_thread(c->thread);
	uint64_t pc, sp;

	if (!regs_get(&c->regs.regs, ARCH_PC, &pc) ||
	    !regs_get(&c->regs.regs, ARCH_SP, &sp))
		return NULL;
	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];

		if (f->ip == pc && (!f->has_sp || f->sp == sp))
			return ptrace_thread_frame(c->thread, i);
	}
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * The moment of the fault. A crash handler (of glog, Qt, a JVM, ...) changes
 * the signal that ends the process, and the thread's registers are then those
 * of the handler. But what the kernel saved on the stack before the handler ran
 * (target/handled.h) stays there even after the handler returned.
 */
#include "module/module_private.h"
#include "target/arch/insn.h"
#include "target/handled.h"

enum {
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

/* A believable context that the kernel saved at sp? */
static ptrace_context_t *
context_at(ptrace_thread_t *thread, bt_addr_t sp, bool live)
{
	struct module_host *host = thread->host;
	struct target_handled h;
	ptrace_context_t *out;

	if (!target_handled_at(host->target, &thread->target->regs, sp, &h))
		return NULL;
	out = ARENA_NEW(&host->snapshot->arena, struct ptrace_context);
	if (out == NULL)
		return NULL;
	*out = (struct ptrace_context){
	    .thread = thread,
	    .regs = h.regs,
	    .from_handler = true,
	    .live = live,
	    .trap = h.trap,
	    .has_signal = true,
	    .signal = h.signal,
	};
	if (h.regs.xstate != NULL) {
		memcpy(out->xstate, h.xstate, sizeof(out->xstate));
		out->regs.xstate = out->xstate;
	}
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

/* ---- signals that no exception caused ---- */

static bool
sent_or_refused(struct target *t, bt_addr_t sp, struct target_signal *out)
{
	bool clean;

	return target_sent_at(t, sp, out, &clean) ||
	    target_refused_at(t, sp, out);
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
			return sent_or_refused(t, at + 8, out);
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
		    sent_or_refused(thread->host->target, t->frames[i].sp, &s);
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

/* SPDX-License-Identifier: MIT */
/*
 * Resolves a fault.
 *
 * What the kernel tells (x86-64): a page fault gives SEGV_MAPERR or
 * SEGV_ACCERR with the first faulting byte; every #GP gives SI_KERNEL with
 * address 0, whatever the cause, and #SS the same as SIGBUS; a jump to bad
 * memory faults at the target with address == pc, but a call to a
 * non-canonical target faults at the call. So the instruction decides, never
 * the address alone: address 0 with SI_KERNEL is no null pointer, and 0x7a1200
 * may well be one (a[i] with a null a).
 */
#include <signal.h>
#include <string.h>

#include "blame.h"
#include "crash.h"

/* The first page is never mapped. */
static const uint64_t null_page = 4096;

bool
crash_is_null(uint64_t value)
{

	return value < null_page || value >= -null_page;
}

bool
crash_direction_is(const struct crash *c, const char *direction)
{

	return c->direction != NULL && strcmp(c->direction, direction) == 0;
}

static const char *
operand_direction(const ptrace_operand_t *o)
{

	/* The kernel reports a read-modify-write as a write. */
	return o->write ? "write" : "read";
}

static void
set_address(struct crash *c, bt_addr_t address)
{

	c->has_address = true;
	c->address = address;
}

static void
set_operand(struct crash *c, const ptrace_operand_t *o)
{

	c->operand = o;
	c->direction = operand_direction(o);
}

/* ---- gathers and scatters ---- */

typedef bool lane_test(const struct crash *c, bt_addr_t at, uint64_t size);

/* The lowest lane that fits is the one: those below it are done. From then on
 * the operand is as any other with an index. */
static bool
choose_lane(struct crash *c, ptrace_operand_t *o, lane_test *fits)
{
	uint64_t size = o->access_size > 0 ? o->access_size : 1, index;
	bt_addr_t at;

	for (uint32_t i = 0; i < o->lanes; i++) {
		if (!ptrace_context_lane(c->context, i, &at, &index) ||
		    !fits(c, at, size))
			continue;
		o->effective_known = o->index_known = true;
		o->effective = at;
		o->index_value = index;
		c->lane = (int)i;
		return true;
	}
	return false;
}

static bool
lane_covers(const struct crash *c, bt_addr_t at, uint64_t size)
{

	return c->address - at < size;
}

static bool
lane_is_noncanonical(const struct crash *c, bt_addr_t at, uint64_t size)
{

	(void)size;
	return !ptrace_target_canonical(c->target, at);
}

const char *
crash_index_text(const struct crash *c)
{
	const ptrace_operand_t *o = c->operand;

	if (o == NULL || o->index_known == false || o->scale == 0)
		return NULL;
	if (c->lane >= 0)
		return pmodule_text(c->bt,
		    "lane %d (of %u) has the index 0x%" PRIx64, c->lane,
		    o->lanes, o->index_value);
	return crash_register_text(c, o->index, o->index_value);
}

/* ---- page faults ---- */

static bool
covers(const ptrace_operand_t *o, bt_addr_t address)
{
	uint64_t size = o->access_size > 0 ? o->access_size : 1;

	return o->effective_known && address - o->effective < size;
}

/* Does the mapping of the address forbid what the operand does? */
static bool
forbidden(struct crash *c, const ptrace_operand_t *o, bt_addr_t address)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	if (ptrace_target_mapping(c->target, address, &m) == false)
		return true;
	return (o->write && (m.permissions & PTRACE_PERM_WRITE) == 0) ||
	    (o->read && (m.permissions & PTRACE_PERM_READ) == 0);
}

/* The operand that faulted: it covers the address; of two that do (a copy
 * within one page), the one whose mapping forbids its direction. An operand
 * whose address is not known (a gather) is the one when it is the only one. */
static const ptrace_operand_t *
find_operand(struct crash *c, bt_addr_t address)
{
	const ptrace_operand_t *found = NULL, *unknown = NULL;
	uint32_t n_unknown = 0;

	for (uint32_t i = 0; i < c->instruction.n_operands; i++) {
		ptrace_operand_t *o = &c->instruction.operands[i];

		if (o->lanes != 0 && choose_lane(c, o, lane_covers))
			return o;
		if (o->effective_known == false) {
			unknown = o;
			n_unknown++;
		} else if (covers(o, address) &&
		    (found == NULL ||
			(!forbidden(c, found, address) &&
			    forbidden(c, o, address)))) {
			found = o;
		}
	}
	if (found == NULL && n_unknown == 1)
		return unknown;
	return found;
}

/* ---- general protection ---- */

/* Where control would have gone; false when it cannot be known. */
static bool
flow_target(struct crash *c, bt_addr_t *out)
{
	const ptrace_instruction_t *in = &c->instruction;
	const ptrace_operand_t *o;

	if (in->flow == PTRACE_FLOW_RETURN)
		return ptrace_target_read(
		    c->target, c->sp, out, sizeof(*out), NULL);
	if (in->flow != PTRACE_FLOW_CALL && in->flow != PTRACE_FLOW_JUMP)
		return false;
	if (in->target_known) {
		*out = in->target;
		return true;
	}
	if (in->target_operand < 0)
		return false;
	o = &in->operands[in->target_operand];
	return o->effective_known &&
	    ptrace_target_read(
		c->target, o->effective, out, sizeof(*out), NULL);
}

/* In the order in which the processor looks: the operand's address, where
 * control would go, alignment. */
static void
resolve_protection(struct crash *c)
{
	const ptrace_instruction_t *in = &c->instruction;
	bt_addr_t target;

	for (uint32_t i = 0; i < in->n_operands; i++) {
		ptrace_operand_t *o = &c->instruction.operands[i];

		if (o->lanes != 0)
			(void)choose_lane(c, o, lane_is_noncanonical);
		if (o->effective_known == false ||
		    ptrace_target_canonical(c->target, o->effective))
			continue;
		set_operand(c, o);
		set_address(c, o->effective);
		return;
	}
	if (flow_target(c, &target) &&
	    !ptrace_target_canonical(c->target, target)) {
		c->direction = "execute";
		c->bad_target = true;
		set_address(c, target);
		return;
	}
	for (uint32_t i = 0; i < in->n_operands; i++) {
		const ptrace_operand_t *o = &in->operands[i];

		if (o->align < 2 || o->effective_known == false ||
		    o->effective % o->align == 0)
			continue;
		set_operand(c, o);
		set_address(c, o->effective);
		return;
	}
	/* Nothing a general protection fault may come from. When the kernel
	 * has no room for the frame of a handler (a stack overflow, and no
	 * alternate stack), it kills with the same code; the fault itself was
	 * an ordinary one. */
	for (uint32_t i = 0; i < in->n_operands; i++) {
		const ptrace_operand_t *o = &in->operands[i];

		if (o->effective_known == false ||
		    forbidden(c, o, o->effective) == false)
			continue;
		c->kind = CRASH_PAGE;
		set_operand(c, o);
		set_address(c, o->effective);
		return;
	}
}

static void
resolve_page_fault(struct crash *c)
{
	const ptrace_operand_t *o;

	set_address(c, c->signal.address);
	o = c->has_instruction ? find_operand(c, c->address) : NULL;
	if (o != NULL)
		set_operand(c, o);
	/* The processor's own word, where the kernel kept it. */
	if (c->handled && c->trap.page_fault)
		c->direction = c->trap.execute ? "execute"
		    : c->trap.write	       ? "write"
					       : "read";
}

static void
resolve_alignment(struct crash *c)
{

	/* The kernel gives no address for an alignment check. */
	if (c->has_instruction == false || c->instruction.n_operands != 1)
		return;
	set_operand(c, &c->instruction.operands[0]);
	if (c->operand->effective_known)
		set_address(c, c->operand->effective);
}

static bool
is_code(struct crash *c, bt_addr_t pc)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	return ptrace_target_mapping(c->target, pc, &m) &&
	    ((m.permissions & PTRACE_PERM_EXEC) != 0 || m.permissions > 7);
}

static void
resolve_memory(struct crash *c)
{

	if (is_code(c, c->pc) == false) {
		c->kind = CRASH_EXECUTE;
		c->direction = "execute";
		set_address(c, c->pc);
		return;
	}
	if (c->signal.code == SI_KERNEL) {
		c->kind = CRASH_PROTECTION;
		if (c->has_instruction)
			resolve_protection(c);
	} else if (c->signal.number == SIGBUS && c->signal.code == BUS_ADRALN) {
		c->kind = CRASH_ALIGNMENT;
		resolve_alignment(c);
	} else {
		c->kind = c->signal.number == SIGSEGV ? CRASH_PAGE
		    : c->signal.code == BUS_ADRERR    ? CRASH_FILE
						      : CRASH_OTHER;
		resolve_page_fault(c);
	}
}

/* A breakpoint traps behind itself: what stands at the pc has not run. */
static void
read_instruction(struct crash *c)
{
	ptrace_instruction_t before = PTRACE_INSTRUCTION_INIT;

	if (c->signal.number == SIGTRAP && c->pc > 0 &&
	    ptrace_target_instruction(c->target, c->pc - 1, &before) &&
	    before.length == 1 && before.kind == PTRACE_KIND_BREAKPOINT) {
		c->instruction = before;
		c->has_instruction = true;
		return;
	}
	c->has_instruction = ptrace_context_instruction(
	    c->context, &c->instruction, NULL);
}

/* Codes above 0 are the kernel's, but of these signals none tells of something
 * that an instruction did: a limit of time, a key of the terminal. */
static bool
is_sent(const ptrace_signal_t *s)
{

	return s->has_info &&
	    (s->code <= 0 || s->number == SIGQUIT || s->number == SIGABRT ||
		s->number == SIGXCPU || s->number == SIGXFSZ);
}

bool
crash_resolve(ptrace_backtrace_t *bt, struct crash *c)
{

	return crash_resolve_thread(bt, ptrace_backtrace_fault_thread(bt), c);
}

bool
crash_resolve_thread(
    ptrace_backtrace_t *bt, ptrace_thread_t *thread, struct crash *c)
{
	memset(c, 0, sizeof(*c));
	c->bt = bt;
	c->lane = -1;
	c->target = ptrace_backtrace_target(bt);
	c->thread = thread;
	c->final.size = c->signal.size = sizeof(c->signal);
	c->trap.size = sizeof(c->trap);
	c->instruction.size = sizeof(c->instruction);
	if (c->thread == NULL || !ptrace_target_signal(c->target, &c->final))
		return false;
	c->context = ptrace_thread_fault_context(c->thread);
	c->signal = c->final;
	if (c->context == NULL) {
		c->kind = is_sent(&c->final) ? CRASH_SENT : CRASH_OTHER;
		return true;
	}
	c->frame = ptrace_context_frame(c->context);
	c->handled = ptrace_context_trap(c->context, &c->trap);
	(void)ptrace_context_signal(c->context, &c->signal);
	(void)ptrace_context_register(c->context, PTRACE_REGISTER_PC, &c->pc);
	(void)ptrace_context_register(c->context, PTRACE_REGISTER_SP, &c->sp);
	if (is_sent(&c->signal)) {
		c->kind = CRASH_SENT;
		return true;
	}
	read_instruction(c);
	c->kind = CRASH_OTHER;
	if (c->signal.has_info &&
	    (c->signal.number == SIGSEGV || c->signal.number == SIGBUS))
		resolve_memory(c);
	return true;
}

bool
crash_is_check(const struct crash *c)
{
	ptrace_frame_t *caller;

	if (c->kind != CRASH_PROTECTION || c->has_instruction == false ||
	    c->instruction.kind != PTRACE_KIND_HALT || c->frame == NULL)
		return false;
	if (blame_is_machinery(c->frame))
		return true;
	/* A function of the library's own, in a program that holds it. */
	caller = ptrace_thread_frame(
	    c->thread, ptrace_frame_index(c->frame) + 1);
	return caller != NULL && blame_is_machinery(caller);
}

/* ---- words ---- */

const char *
crash_signal_name(const struct crash *c, int32_t number)
{
	/* The usual numbers of Linux; those of MIPS and SPARC differ. */
	static const char *const names[] = {[SIGHUP] = "SIGHUP",
	    [SIGINT] = "SIGINT",
	    [SIGQUIT] = "SIGQUIT",
	    [SIGILL] = "SIGILL",
	    [SIGTRAP] = "SIGTRAP",
	    [SIGABRT] = "SIGABRT",
	    [SIGBUS] = "SIGBUS",
	    [SIGFPE] = "SIGFPE",
	    [SIGKILL] = "SIGKILL",
	    [SIGUSR1] = "SIGUSR1",
	    [SIGSEGV] = "SIGSEGV",
	    [SIGUSR2] = "SIGUSR2",
	    [SIGPIPE] = "SIGPIPE",
	    [SIGALRM] = "SIGALRM",
	    [SIGTERM] = "SIGTERM",
	    [SIGSTOP] = "SIGSTOP",
	    [SIGXCPU] = "SIGXCPU",
	    [SIGXFSZ] = "SIGXFSZ",
	    [SIGSYS] = "SIGSYS"};

	if (number > 0 && (size_t)number < sizeof(names) / sizeof(*names) &&
	    names[number] != NULL)
		return names[number];
	return pmodule_text(c->bt, "signal %d", number);
}

const char *
crash_access_text(const struct crash *c)
{
	const char *verb = crash_direction_is(c, "write") ? "writing"
	    : crash_direction_is(c, "execute")		  ? "executing"
							  : "reading";

	if (c->operand == NULL || c->operand->access_size == 0)
		return pmodule_text(c->bt, "%s memory", verb);
	return pmodule_text(c->bt, "%s %u byte%s", verb,
	    c->operand->access_size, c->operand->access_size == 1 ? "" : "s");
}

const char *
crash_register_text(const struct crash *c, int32_t number, uint64_t value)
{
	const char *name = ptrace_register_name(number);

	return pmodule_text(
	    c->bt, "%s is 0x%" PRIx64, name != NULL ? name : "register", value);
}

/* The thread whose stack pointer lies in the same mapping: between stacks of
 * threads there are guard pages. */
static ptrace_thread_t *
stack_owner(const struct crash *c, const ptrace_mapping_t *m)
{
	uint32_t n = ptrace_backtrace_n_threads(c->bt);
	ptrace_thread_t *found = NULL;
	uint64_t sp;

	for (uint32_t i = 0; i < n; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(c->bt, i);

		if (!ptrace_thread_register(t, PTRACE_REGISTER_SP, &sp) ||
		    sp < m->start || sp >= m->end)
			continue;
		if (found != NULL)
			return NULL;
		found = t;
	}
	return found;
}

const char *
crash_place_text(const struct crash *c, bt_addr_t address)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	ptrace_thread_t *owner;
	const char *name;

	if (ptrace_target_mapping(c->target, address, &m) == false)
		return "is not mapped";
	name = m.path != NULL ? m.path : "anonymous memory";
	owner = m.path == NULL && (m.permissions & PTRACE_PERM_WRITE) != 0
	    ? stack_owner(c, &m)
	    : NULL;
	if (owner != NULL)
		name = pmodule_text(
		    c->bt, "the stack of thread %u", ptrace_thread_tid(owner));
	return pmodule_text(c->bt, "lies in %s (%s%s%s)", name,
	    m.permissions & PTRACE_PERM_READ ? "r" : "-",
	    m.permissions & PTRACE_PERM_WRITE ? "w" : "-",
	    m.permissions & PTRACE_PERM_EXEC ? "x" : "-");
}

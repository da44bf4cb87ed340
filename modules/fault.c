/* SPDX-License-Identifier: MIT */
/*
 * The fault module: which access killed the thread. It tells the direction
 * (read, write, execute), the address, and the operand of the failing
 * instruction, and from these the first class of the fault: null, wild,
 * non-canonical, protected, misaligned, a jump to what is no code.
 *
 * What the kernel tells (x86-64): a page fault gives SEGV_MAPERR or
 * SEGV_ACCERR with the first faulting byte; every #GP gives SI_KERNEL with
 * address 0, whatever the cause, and #SS the same as SIGBUS; a jump to bad
 * memory faults at the target with address == pc, but a call to a
 * non-canonical target faults at the call. So the instruction decides, never
 * the address alone: address 0 with SI_KERNEL is no null pointer, and 0x7a1200
 * may well be one (a[i] with a null a).
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include <ptrace/pmodule.h>

/* The first page is never mapped; container_of() of NULL lies just below 0. */
static const uint64_t null_page = 4096;
/* vm.mmap_min_addr of all distributions: nothing is mapped below. */
static const uint64_t min_address = 65536;
/* The kernel keeps this gap below a growing stack (stack_guard_gap, 256
 * pages); a probing or large frame faults within it. */
static const uint64_t stack_gap = 1024 * 1024;

enum { EVIDENCE_MAX = 8 };

struct verdict {
	ptrace_backtrace_t *bt;
	ptrace_target_t *target;
	ptrace_thread_t *thread;
	ptrace_signal_t signal;
	bool has_instruction;
	ptrace_instruction_t instruction;
	const ptrace_operand_t *operand;
	/* The answer. */
	const char *direction;
	bool has_address;
	bt_addr_t address;
	const char *class_name;
	double confidence;
	const char *text;
	const char *evidence[EVIDENCE_MAX];
	uint32_t n_evidence;
};

static void
note(struct verdict *v, const char *evidence)
{

	if (evidence != NULL && v->n_evidence < EVIDENCE_MAX)
		v->evidence[v->n_evidence++] = evidence;
}

static void
judge(struct verdict *v, const char *class_name, double confidence,
    const char *text)
{

	v->class_name = class_name;
	v->confidence = confidence;
	v->text = text != NULL ? text : class_name;
}

static void
set_address(struct verdict *v, bt_addr_t address)
{

	v->has_address = true;
	v->address = address;
}

static bool
is_null(uint64_t value)
{

	return value < null_page || value >= -null_page;
}

static const char *
operand_direction(const ptrace_operand_t *o)
{

	/* The kernel reports a read-modify-write as a write. */
	return o->write ? "write" : "read";
}

/* "reading 4 bytes", "writing memory" */
static const char *
access_text(struct verdict *v)
{
	const char *verb = strcmp(v->direction, "write") == 0 ? "writing"
							      : "reading";

	if (v->operand == NULL || v->operand->access_size == 0)
		return pmodule_text(v->bt, "%s memory", verb);
	return pmodule_text(v->bt, "%s %u byte%s", verb,
	    v->operand->access_size, v->operand->access_size == 1 ? "" : "s");
}

static const char *
register_text(struct verdict *v, int32_t number, uint64_t value)
{
	const char *name = ptrace_register_name(number);

	return pmodule_text(
	    v->bt, "%s is 0x%" PRIx64, name != NULL ? name : "register", value);
}

static void
note_mapping(struct verdict *v, bt_addr_t address)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	if (ptrace_target_mapping(v->target, address, &m) == false) {
		note(v,
		    pmodule_text(
			v->bt, "0x%" PRIx64 " is not mapped", address));
		return;
	}
	note(v,
	    pmodule_text(v->bt, "0x%" PRIx64 " lies in %s (%s%s%s)", address,
		m.path != NULL ? m.path : "anonymous memory",
		m.permissions & PTRACE_PERM_READ ? "r" : "-",
		m.permissions & PTRACE_PERM_WRITE ? "w" : "-",
		m.permissions & PTRACE_PERM_EXEC ? "x" : "-"));
}

/* ---- execute ---- */

/* How did the program counter get there? A return address at the top of the
 * stack that follows a call says: by that call. */
static void
note_caller(struct verdict *v)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	bt_addr_t start, return_address;
	const char *symbol;
	uint64_t sp;

	if (!ptrace_thread_register(v->thread, PTRACE_REGISTER_SP, &sp) ||
	    !ptrace_target_read(
		v->target, sp, &return_address, sizeof(return_address), NULL))
		return;
	if (!ptrace_target_call_before(v->target, return_address, &call)) {
		note(v,
		    "the top of the stack is no return address: reached "
		    "by a return or a jump, the stack may be damaged");
		return;
	}
	symbol = ptrace_target_symbol(v->target, call.address, &start);
	note(v,
	    pmodule_text(v->bt, "called by \"%s\" at 0x%" PRIx64 "%s%s",
		call.text, call.address, symbol != NULL ? " in " : "",
		symbol != NULL ? symbol : ""));
}

static void
judge_execute(struct verdict *v, bt_addr_t pc, const ptrace_mapping_t *m)
{

	v->direction = "execute";
	set_address(v, pc);
	if (is_null(pc)) {
		judge(v, "null-call", 0.95,
		    pmodule_text(v->bt,
			"call through a null function pointer (0x%" PRIx64 ")",
			pc));
		pmodule_classifier_add(v->bt, "null");
		pmodule_classifier_add(v->bt, "jump");
	} else if (m != NULL) {
		judge(v, "nx-exec", 0.9,
		    pmodule_text(v->bt,
			"jump to 0x%" PRIx64 ", which is data, not code (%s)",
			pc, m->path != NULL ? m->path : "anonymous memory"));
		pmodule_classifier_add(v->bt, "jump");
		pmodule_classifier_add(v->bt, "nx");
	} else {
		judge(v, "bad-jump", 0.9,
		    pmodule_text(v->bt,
			"jump to 0x%" PRIx64 ", which is not mapped", pc));
		pmodule_classifier_add(v->bt, "jump");
	}
	note_caller(v);
}

/* ---- general protection: SI_KERNEL, no address ---- */

static bool
judge_noncanonical_operand(struct verdict *v)
{

	for (uint32_t i = 0; i < v->instruction.n_operands; i++) {
		const ptrace_operand_t *o = &v->instruction.operands[i];

		if (o->effective_known == false ||
		    ptrace_target_canonical(v->target, o->effective))
			continue;
		v->operand = o;
		v->direction = operand_direction(o);
		set_address(v, o->effective);
		judge(v, "noncanonical-access", 0.9,
		    pmodule_text(v->bt,
			"%s at 0x%" PRIx64 ", an address no pointer can have",
			access_text(v), o->effective));
		if (o->base_known)
			note(v, register_text(v, o->base, o->base_value));
		pmodule_classifier_add(v->bt, "noncanonical");
		return true;
	}
	return false;
}

/* The value a call or jump would go to; false when it cannot be known. */
static bool
flow_target(struct verdict *v, bt_addr_t *out)
{
	const ptrace_instruction_t *in = &v->instruction;
	const ptrace_operand_t *o;
	uint64_t sp;

	if (in->flow == PTRACE_FLOW_RETURN)
		return ptrace_thread_register(
			   v->thread, PTRACE_REGISTER_SP, &sp) &&
		    ptrace_target_read(v->target, sp, out, sizeof(*out), NULL);
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
		v->target, o->effective, out, sizeof(*out), NULL);
}

static bool
judge_noncanonical_target(struct verdict *v)
{
	bool returns = v->instruction.flow == PTRACE_FLOW_RETURN;
	bt_addr_t target;

	if (flow_target(v, &target) == false ||
	    ptrace_target_canonical(v->target, target))
		return false;
	v->direction = "execute";
	set_address(v, target);
	if (returns) {
		judge(v, "stack-corruption", 0.85,
		    pmodule_text(v->bt,
			"return to 0x%" PRIx64 ": the return address on the "
			"stack was overwritten",
			target));
		pmodule_classifier_add(v->bt, "stack.corrupt");
	} else {
		judge(v, "bad-jump", 0.9,
		    pmodule_text(v->bt,
			"call through a function pointer that holds 0x%" PRIx64
			", an address no code can have",
			target));
		pmodule_classifier_add(v->bt, "jump");
	}
	return true;
}

static bool
judge_misaligned(struct verdict *v)
{

	for (uint32_t i = 0; i < v->instruction.n_operands; i++) {
		const ptrace_operand_t *o = &v->instruction.operands[i];

		if (o->align < 2 || o->effective_known == false ||
		    o->effective % o->align == 0)
			continue;
		v->operand = o;
		v->direction = operand_direction(o);
		set_address(v, o->effective);
		judge(v, "misaligned-access", 0.9,
		    pmodule_text(v->bt,
			"%s at 0x%" PRIx64 ", but the instruction needs a "
			"multiple of %u",
			access_text(v), o->effective, o->align));
		pmodule_classifier_add(v->bt, "align");
		return true;
	}
	return false;
}

static void
judge_protection(struct verdict *v)
{

	if (v->has_instruction == false)
		return;
	if (judge_noncanonical_operand(v) || judge_noncanonical_target(v) ||
	    judge_misaligned(v))
		return;
	if (v->instruction.privileged) {
		judge(v, "privileged-insn", 0.85,
		    pmodule_text(v->bt, "\"%s\" is not allowed in user mode",
			v->instruction.text));
		pmodule_classifier_add(v->bt, "privileged");
	}
}

/* ---- page faults: an address ---- */

static bool
covers(const ptrace_operand_t *o, bt_addr_t address)
{
	uint64_t size = o->access_size > 0 ? o->access_size : 1;

	return o->effective_known && address - o->effective < size;
}

/* Does the mapping of the address forbid what the operand does? */
static bool
forbidden(struct verdict *v, const ptrace_operand_t *o, bt_addr_t address)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	if (ptrace_target_mapping(v->target, address, &m) == false)
		return true;
	return (o->write && (m.permissions & PTRACE_PERM_WRITE) == 0) ||
	    (o->read && (m.permissions & PTRACE_PERM_READ) == 0);
}

/* The operand that faulted: it covers the address; of two that do (a copy
 * within one page), the one whose mapping forbids its direction. An operand
 * whose address is not known (a gather) is the one when it is the only one. */
static const ptrace_operand_t *
find_operand(struct verdict *v, bt_addr_t address)
{
	const ptrace_operand_t *found = NULL, *unknown = NULL;
	uint32_t n_unknown = 0;

	for (uint32_t i = 0; i < v->instruction.n_operands; i++) {
		const ptrace_operand_t *o = &v->instruction.operands[i];

		if (o->effective_known == false) {
			unknown = o;
			n_unknown++;
		} else if (covers(o, address) &&
		    (found == NULL ||
			(!forbidden(v, found, address) &&
			    forbidden(v, o, address)))) {
			found = o;
		}
	}
	if (found == NULL && n_unknown == 1)
		return unknown;
	return found;
}

static bool
judge_null(struct verdict *v)
{
	const ptrace_operand_t *o = v->operand;
	bool base_null = o != NULL && o->base_known && is_null(o->base_value);
	/* The compiler may put the pointer into the index when it has no
	 * scale. */
	bool index_null = o != NULL && o->index_known && o->scale == 1 &&
	    o->base_known && is_null(o->index_value) &&
	    o->base_value < min_address;

	if (o != NULL && o->segment_relative)
		return false;
	if (!base_null && !index_null && v->address >= min_address &&
	    !is_null(v->address))
		return false;
	judge(v, "null-deref", 0.95,
	    pmodule_text(v->bt, "null pointer dereference: %s at 0x%" PRIx64,
		access_text(v), v->address));
	if (base_null)
		note(v, register_text(v, o->base, o->base_value));
	if (base_null && o->index_known && o->scale > 0)
		note(v, register_text(v, o->index, o->index_value));
	if (o != NULL &&
	    (v->instruction.flow == PTRACE_FLOW_CALL ||
		v->instruction.flow == PTRACE_FLOW_JUMP))
		note(v,
		    "the table of functions itself is null: the object "
		    "was zeroed or never constructed");
	pmodule_classifier_add(v->bt, "null");
	return true;
}

/* The access lies below the stack, near the stack pointer, under a mapping
 * that the stack pointer belongs to. */
static bool
judge_stack_overflow(struct verdict *v)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t sp;

	if (!ptrace_thread_register(v->thread, PTRACE_REGISTER_SP, &sp))
		return false;
	if (v->address + stack_gap < sp || v->address > sp + null_page)
		return false;
	/* A stack pointer that is inside writable memory, above the fault by
	 * more than a red zone, is an ordinary one. */
	if (ptrace_target_mapping(v->target, sp, &m) &&
	    (m.permissions & PTRACE_PERM_WRITE) != 0 &&
	    v->address + null_page < m.start)
		return false;
	judge(v, "stack-overflow", 0.85,
	    pmodule_text(v->bt,
		"stack overflow: %s at 0x%" PRIx64 ", %s the stack pointer "
		"0x%" PRIx64,
		access_text(v), v->address, v->address < sp ? "below" : "at",
		sp));
	pmodule_classifier_add(v->bt, "stack.overflow");
	return true;
}

static void
judge_mapping(struct verdict *v)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bool mapped = ptrace_target_mapping(v->target, v->address, &m);

	if (mapped && m.permissions == 0) {
		judge(v, "protected-access", 0.8,
		    pmodule_text(v->bt,
			"%s at 0x%" PRIx64 ", which is mapped without any "
			"permission",
			access_text(v), v->address));
		pmodule_classifier_add(v->bt, "protected");
	} else if (mapped && strcmp(v->direction, "write") == 0 &&
	    (m.permissions & PTRACE_PERM_WRITE) == 0) {
		judge(v, "readonly-write", 0.9,
		    pmodule_text(v->bt,
			"%s at 0x%" PRIx64 ", which is read-only (%s)",
			access_text(v), v->address,
			m.path != NULL ? m.path : "anonymous memory"));
		pmodule_classifier_add(v->bt, "readonly");
	} else if (mapped == false) {
		judge(v, "wild-access", 0.6,
		    pmodule_text(v->bt,
			"%s at 0x%" PRIx64 ", which is not mapped",
			access_text(v), v->address));
		pmodule_classifier_add(v->bt, "wild");
	}
}

static void
judge_page_fault(struct verdict *v)
{

	set_address(v, v->signal.address);
	if (v->has_instruction)
		v->operand = find_operand(v, v->address);
	if (v->operand == NULL) {
		/* Without the instruction only the address speaks. */
		v->direction = NULL;
		if (v->has_instruction)
			note(v,
			    pmodule_text(v->bt,
				"no operand of \"%s\" covers 0x%" PRIx64,
				v->instruction.text, v->address));
		return;
	}
	v->direction = operand_direction(v->operand);
	if (!judge_null(v) && !judge_stack_overflow(v))
		judge_mapping(v);
	note_mapping(v, v->address);
}

static void
judge_bus(struct verdict *v)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	set_address(v, v->signal.address);
	if (v->signal.code == BUS_ADRALN) {
		v->has_address = false;
		if (v->has_instruction && v->instruction.n_operands == 1) {
			v->operand = &v->instruction.operands[0];
			v->direction = operand_direction(v->operand);
			if (v->operand->effective_known)
				set_address(v, v->operand->effective);
		}
		judge(v, "misaligned-access", 0.9, "misaligned access");
		pmodule_classifier_add(v->bt, "align");
		return;
	}
	if (v->has_instruction)
		v->operand = find_operand(v, v->address);
	if (v->operand != NULL)
		v->direction = operand_direction(v->operand);
	if (v->signal.code == BUS_ADRERR && v->direction != NULL &&
	    ptrace_target_mapping(v->target, v->address, &m) &&
	    m.path != NULL) {
		judge(v, "file-truncated", 0.85,
		    pmodule_text(v->bt,
			"%s at 0x%" PRIx64 ", beyond the end of the mapped "
			"file %s",
			access_text(v), v->address, m.path));
		pmodule_classifier_add(v->bt, "file.truncated");
	}
}

/* ---- the rest ---- */

static const char *
signal_token(int number)
{

	switch (number) {
	case SIGSEGV:
		return "segv";
	case SIGBUS:
		return "bus";
	case SIGILL:
		return "ill";
	case SIGTRAP:
		return "trap";
	case SIGFPE:
		return "fpe";
	case SIGABRT:
		return "abort";
	case SIGSYS:
		return "sys";
	default:
		return NULL;
	}
}

/* Signals 0 and below were sent by kill(), tgkill(), sigqueue(): no fault. */
static void
judge_sent(struct verdict *v)
{
	int32_t pid = ptrace_target_pid(v->target);
	bool own = v->signal.has_sender && v->signal.sender_pid == pid;

	if (v->signal.number == SIGABRT && own) {
		judge(v, "abort", 0.5, "the process aborted itself");
		pmodule_classifier_add(v->bt, "stop");
	} else if (v->signal.has_sender && !own) {
		judge(v, "external-signal", 0.9,
		    pmodule_text(v->bt,
			"signal %d was sent by process %d (user %u)",
			v->signal.number, v->signal.sender_pid,
			v->signal.sender_uid));
		pmodule_classifier_add(v->bt, "signal.external");
	}
}

static void
judge_fault(struct verdict *v)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bool mapped;
	uint64_t pc;

	if (!ptrace_thread_register(v->thread, PTRACE_REGISTER_PC, &pc))
		return;
	mapped = ptrace_target_mapping(v->target, pc, &m);
	if (!mapped || (m.permissions & PTRACE_PERM_EXEC) == 0) {
		judge_execute(v, pc, mapped ? &m : NULL);
		return;
	}
	v->instruction.size = sizeof(v->instruction);
	v->has_instruction = ptrace_thread_instruction(
	    v->thread, &v->instruction, NULL);
	if (v->signal.code == SI_KERNEL)
		judge_protection(v);
	else if (v->signal.number == SIGBUS)
		judge_bus(v);
	else
		judge_page_fault(v);
}

static void
publish(struct verdict *v)
{
	pmodule_fault_t fault = PMODULE_FAULT_INIT;
	pmodule_finding_t finding = PMODULE_FINDING_INIT;
	char token[32];

	fault.direction = v->direction;
	fault.has_address = v->has_address;
	fault.address = v->address;
	if (v->has_instruction)
		fault.instruction = v->instruction.text;
	if (v->operand != NULL)
		fault.operand = v->operand->text;
	if (v->direction != NULL || v->has_address || v->has_instruction)
		pmodule_fault_set(v->thread, &fault);
	if (v->direction != NULL) {
		snprintf(token, sizeof(token), "memory.%s", v->direction);
		pmodule_classifier_add(v->bt, token);
	}
	if (v->has_address)
		pmodule_kv_add_address(v->bt, "fault.address", v->address);
	if (v->class_name == NULL)
		return;
	finding.class_name = v->class_name;
	finding.confidence = v->confidence;
	finding.thread = v->thread;
	finding.frame = ptrace_thread_frame(v->thread, 0);
	finding.has_address = v->has_address;
	finding.address = v->address;
	finding.text = v->text;
	finding.evidence = v->evidence;
	finding.n_evidence = v->n_evidence;
	pmodule_finding_add(v->bt, &finding);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct verdict v = {.bt = bt,
	    .target = ptrace_backtrace_target(bt),
	    .thread = ptrace_backtrace_fault_thread(bt),
	    .signal = PTRACE_SIGNAL_INIT};
	const char *token;

	if (v.thread == NULL || !ptrace_target_signal(v.target, &v.signal))
		return;
	token = signal_token(v.signal.number);
	if (token != NULL)
		pmodule_classifier_add(bt, token);
	if (v.signal.has_info && v.signal.code <= 0)
		judge_sent(&v);
	else if (v.signal.has_info &&
	    (v.signal.number == SIGSEGV || v.signal.number == SIGBUS))
		judge_fault(&v);
	publish(&v);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("fault", load, NULL, NULL)

/* SPDX-License-Identifier: MIT */
/*
 * Functions whose arguments are not what they expect.
 *
 * A call in which the process died: the function is the one that the innermost
 * frame of the program called, by the name in the procedure linkage table;
 * inside libc the nearest exported name is often the wrong one. While a block
 * function runs, its size stays in the register it came in (glibc's and musl's
 * vector loops end by it), so a size that no object can have is seen there.
 * What was passed as a pointer may have been advanced.
 *
 * Frames of functions that users' rules name, in all threads, by the values
 * that debug information gives for the parameters now: who writes a rule knows
 * that the function does not change them. For the functions of libc nobody
 * does, so of these only sizes are judged that no memory has.
 */
#include <string.h>

#include "common/blame.h"
#include "common/crash.h"
#include "common/expects.h"

enum {
	THREADS_MAX = 16384,
	FRAMES_MAX = 200000, /* of all threads */
	NEAR = 64,	     /* frames of one thread */
	FINDINGS_MAX = 32,
	MAPPINGS_MAX = 4096,
	TEXT_MAX = 64 << 10,
	MEMO_SLOTS = 256,
	MEMO_WAYS = 8
};

/* "__memcpy_chk" checks and then does as memcpy. Rules of users come first. */
static const pmodule_constraint_t *
rule_named(ptrace_backtrace_t *bt, const char *name)
{
	const pmodule_constraint_t *rule;
	char plain[64];
	size_t n = strlen(name);

	for (uint32_t i = 0; (rule = pmodule_constraint_at(bt, i)) != NULL; i++)
		if (strcmp(rule->function, name) == 0)
			return rule;
	if (n >= sizeof(plain))
		return NULL;
	memcpy(plain, name, n + 1);
	name = plain;
	if (n > 6 && strncmp(name, "__", 2) == 0 &&
	    strcmp(name + n - 4, "_chk") == 0) {
		plain[n - 4] = '\0';
		name += 2;
	}
	return expects_known(name);
}

/* The function that the program called, with the caller's frame. NULL: the
 * fault is in the program's own code. */
static const pmodule_constraint_t *
called_rule(const struct crash *c, ptrace_frame_t **caller)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	bt_addr_t start;
	const char *name;

	*caller = blame_frame(c->thread, c->frame);
	if (*caller == NULL || c->frame == NULL || *caller == c->frame ||
	    blame_is_machinery(c->frame) == false ||
	    !ptrace_target_call_before(
		c->target, ptrace_frame_ip(*caller), &call))
		return NULL;
	name = ptrace_target_call_name(c->target, &call);
	if (name == NULL && call.target_known) /* statically linked */
		name = ptrace_target_symbol(c->target, call.target, &start);
	return name != NULL ? rule_named(c->bt, name) : NULL;
}

/* More than any object can have: the result of a subtraction gone wrong. */
static bool
is_absurd(uint64_t size)
{

	return size >> 47 != 0;
}

static const char *
token_of(ptrace_backtrace_t *bt, const pmodule_constraint_t *rule)
{

	return pmodule_text(bt, "constraint.%s", rule->function);
}

/* ---- the call in which the process died ---- */

static void
judge_size(const struct crash *c, const pmodule_constraint_t *rule,
    ptrace_frame_t *caller)
{
	uint64_t size;
	struct report r;
	unsigned index = 0;

	while (index < rule->n_arguments &&
	    (rule->arguments[index].kind != PMODULE_ARGUMENT_NUMBER ||
		rule->arguments[index].maximum != 0))
		index++;
	if (index == rule->n_arguments)
		return;
	/* A repeated string instruction counts down from the size. */
	if (c->has_instruction && c->instruction.repeat != 0)
		size = c->instruction.repeat;
	else if (!ptrace_context_register(
		     c->context, ptrace_argument_register(index), &size))
		return;
	if (is_absurd(size) == false)
		return;
	r = report_of(c, "bad-argument", 0.92,
	    pmodule_text(c->bt,
		c->instruction.repeat != 0
		    ? "%s was called with a negative size, of which "
		      "%" PRId64 " is left"
		    : "%s was called with a size of %" PRId64,
		rule->function, (int64_t)size));
	r.frame = caller;
	report_note(&r,
	    pmodule_text(c->bt,
		"the size is 0x%" PRIx64
		", more than any memory: a negative difference taken for a "
		"size",
		size));
	report_token(&r, token_of(c->bt, rule));
	report_publish(&r);
}

static bool
is_pointer(const pmodule_argument_t *a, bool read, bool write)
{

	switch (a->kind) {
	case PMODULE_ARGUMENT_READ:
	case PMODULE_ARGUMENT_STRING:
		return read;
	case PMODULE_ARGUMENT_WRITE:
		return write;
	case PMODULE_ARGUMENT_UPDATE:
		return true;
	default:
		return false;
	}
}

/* "dest", "s1 or s2": the arguments that such an access may have been through;
 * NULL: none. */
static const char *
accessed(const struct crash *c, const pmodule_constraint_t *rule)
{
	bool write = crash_direction_is(c, "write");
	const char *text = NULL;

	for (uint32_t i = 0; i < rule->n_arguments; i++) {
		const pmodule_argument_t *a = &rule->arguments[i];

		if (is_pointer(a, !write, write) == false)
			continue;
		text = text == NULL
		    ? a->name
		    : pmodule_text(c->bt, "%s or %s", text, a->name);
	}
	return text;
}

/* The access itself is judged elsewhere; here its meaning for the call. */
static void
judge_pointer(const struct crash *c, const pmodule_constraint_t *rule,
    ptrace_frame_t *caller)
{
	bool null = pmodule_finding_confidence(c->bt, "null-deref") > 0;
	const char *argument;
	struct report r;

	if (c->direction == NULL || crash_direction_is(c, "execute") ||
	    (argument = accessed(c, rule)) == NULL)
		return;
	r = report_of(c, "bad-argument", 0.55,
	    pmodule_text(c->bt, "%s was called with a bad argument: %s is %s",
		rule->function, argument, null ? "NULL" : "no valid pointer"));
	r.frame = caller;
	if (c->has_address)
		report_note(&r,
		    pmodule_text(
			c->bt, "the access was at 0x%" PRIx64, c->address));
	report_token(&r, token_of(c->bt, rule));
	report_publish(&r);
}

static void
judge_crash(const struct crash *c)
{
	ptrace_frame_t *caller;
	const pmodule_constraint_t *rule;

	if ((c->kind != CRASH_PAGE && c->kind != CRASH_PROTECTION) ||
	    pmodule_finding_confidence(c->bt, "stack-overflow") > 0)
		return;
	rule = called_rule(c, &caller);
	if (rule == NULL)
		return;
	judge_size(c, rule, caller);
	/* Not known to be the pointer's fault: a block that ends too early is
	 * read or written past its end. */
	if (pmodule_finding_confidence(c->bt, "null-deref") > 0 ||
	    pmodule_finding_confidence(c->bt, "noncanonical-access") > 0)
		judge_pointer(c, rule, caller);
}

/* ---- frames with parameters ---- */

struct call {
	ptrace_backtrace_t *bt;
	ptrace_target_t *target;
	const pmodule_constraint_t *rule;
	bool of_user; /* the rule */
	bool known[PMODULE_ARGUMENTS_MAX];
	uint64_t values[PMODULE_ARGUMENTS_MAX];
};

static bool
read_parameters(struct call *call, ptrace_frame_t *f)
{
	uint32_t n = ptrace_frame_n_variables(f);
	bool any = false;

	memset(call->known, 0, sizeof(call->known));
	for (uint32_t i = 0; i < n; i++) {
		const ptrace_variable_t *v = ptrace_frame_variable(f, i);
		int at = v != NULL ? ptrace_variable_fprm_offset(v) : -1;

		if (at < 0 || (uint32_t)at >= call->rule->n_arguments ||
		    !ptrace_variable_ull(v, &call->values[at]))
			continue;
		call->known[at] = any = true;
	}
	return any;
}

/* What the first byte of the range that cannot be accessed so is; NULL: there
 * is none. Mappings whose permissions are not known are no reason. */
static const char *
bad_range(struct call *call, bt_addr_t start, uint64_t size, uint32_t needed)
{
	bt_addr_t at = start;

	for (int i = 0; at - start < size && i < MAPPINGS_MAX; i++) {
		ptrace_mapping_t m = PTRACE_MAPPING_INIT;
		const char *wrong = NULL;

		if (ptrace_target_mapping(call->target, at, &m) == false)
			wrong = "not mapped";
		else if (m.permissions <= 7 &&
		    (m.permissions & needed) != needed)
			wrong = needed & PTRACE_PERM_EXEC ? "no code"
			    : needed & PTRACE_PERM_WRITE  ? "not writable"
							  : "not readable";
		if (wrong != NULL && at == start)
			return pmodule_text(call->bt,
			    "0x%" PRIx64 ", which is %s", start, wrong);
		if (wrong != NULL)
			return pmodule_text(call->bt,
			    "0x%" PRIx64 ", of whose %" PRIu64
			    " bytes those from 0x%" PRIx64 " on are %s",
			    start, size, at, wrong);
		if (m.end <= at)
			break;
		at = m.end;
	}
	return NULL;
}

/* Text that runs into memory that is not there. Cores hold pages that cannot be
 * read as zeroes, so permissions count up to the end. */
static const char *
bad_text(struct call *call, bt_addr_t start)
{
	char bytes[1024];

	for (bt_addr_t at = start; at - start < TEXT_MAX; at += sizeof(bytes)) {
		size_t n = ptrace_target_read_some(
		    call->target, at, bytes, sizeof(bytes));
		const char *end = memchr(bytes, '\0', n);

		if (end != NULL)
			n = (size_t)(end - bytes);
		if (end != NULL || n < sizeof(bytes))
			return bad_range(
			    call, start, at + n + 1 - start, PTRACE_PERM_READ);
	}
	return NULL;
}

static const char *
bad_number(struct call *call, const pmodule_argument_t *a, uint64_t value)
{
	int64_t number = (int64_t)value;

	if (a->minimum == 0 && a->maximum == 0)
		return is_absurd(value)
		    ? pmodule_text(
			  call->bt, "%" PRId64 ", no size of memory", number)
		    : NULL;
	if (number >= a->minimum && number <= a->maximum)
		return NULL;
	return pmodule_text(call->bt,
	    "%" PRId64 ", not between %" PRId64 " and %" PRId64, number,
	    a->minimum, a->maximum);
}

static const char *
bad_pointer(struct call *call, const pmodule_argument_t *a, uint64_t value)
{
	static const uint32_t needed[] = {
	    [PMODULE_ARGUMENT_READ] = PTRACE_PERM_READ,
	    [PMODULE_ARGUMENT_WRITE] = PTRACE_PERM_WRITE,
	    [PMODULE_ARGUMENT_UPDATE] = PTRACE_PERM_READ | PTRACE_PERM_WRITE,
	    [PMODULE_ARGUMENT_STRING] = PTRACE_PERM_READ,
	    [PMODULE_ARGUMENT_FUNCTION] = PTRACE_PERM_EXEC,
	};
	uint64_t count = 1, unit = a->unit != 0 ? a->unit : 1;

	if (a->count >= 0) {
		if (call->known[a->count] == false)
			count = value == 0 ? 0 : 1;
		else
			count = call->values[a->count];
		/* Nothing is accessed, or the count itself is wrong. */
		if (count == 0 || is_absurd(count))
			return NULL;
	}
	if (value == 0)
		return a->null_allowed ? NULL : "NULL";
	if (a->kind == PMODULE_ARGUMENT_STRING)
		return bad_text(call, value);
	return bad_range(call, value, count * unit, needed[a->kind]);
}

static const char *
bad_argument(struct call *call, uint32_t i)
{
	const pmodule_argument_t *a = &call->rule->arguments[i];

	if (call->known[i] == false || a->kind == PMODULE_ARGUMENT_ANY)
		return NULL;
	if (a->kind == PMODULE_ARGUMENT_NUMBER)
		return bad_number(call, a, call->values[i]);
	return call->of_user ? bad_pointer(call, a, call->values[i]) : NULL;
}

static bool
judge_frame(struct call *call, ptrace_thread_t *thread, ptrace_frame_t *f)
{
	struct report r = {
	    .bt = call->bt,
	    .class_name = "bad-argument",
	    .confidence = 0.85,
	    .thread = thread,
	    .frame = f,
	    .background = ptrace_thread_fault(thread) == false,
	};
	const char *first = NULL;

	if (read_parameters(call, f) == false)
		return false;
	for (uint32_t i = 0; i < call->rule->n_arguments; i++) {
		const char *wrong = bad_argument(call, i);

		if (wrong == NULL)
			continue;
		wrong = pmodule_text(
		    call->bt, "%s is %s", call->rule->arguments[i].name, wrong);
		if (first == NULL)
			first = wrong;
		report_note(&r, wrong);
	}
	if (first == NULL)
		return false;
	r.text = pmodule_text(call->bt,
	    "%s in thread %u has a bad argument: %s", call->rule->function,
	    ptrace_thread_tid(thread), first);
	report_token(&r, token_of(call->bt, call->rule));
	report_publish(&r);
	return true;
}

/* Without parameters and suffixes: "copy(char*)", "copy.part.0". */
static bool
names(const char *symbol, const char *function)
{
	size_t n = strlen(function);

	return strncmp(symbol, function, n) == 0 &&
	    (symbol[n] == '\0' || symbol[n] == '(' || symbol[n] == '.');
}

/* Frames of one function have the very same name: a thousand threads wait in
 * few. */
struct memo {
	struct {
		const char *symbol;
		const pmodule_constraint_t *rule;
		bool of_user;
	} slots[MEMO_SLOTS];
};

static const pmodule_constraint_t *
find_rule(struct call *call, const char *symbol)
{
	const pmodule_constraint_t *rule;

	for (uint32_t i = 0;
	     (rule = pmodule_constraint_at(call->bt, i)) != NULL; i++)
		if (names(symbol, rule->function))
			break;
	call->of_user = rule != NULL;
	return rule != NULL ? rule : expects_known(symbol);
}

/* Its place, or that of another which has to go. A few names of a stack may
 * fall together: they must not drive each other out once for each thread. */
static size_t
memo_slot(const struct memo *memo, const char *symbol)
{
	uint64_t hash = (uintptr_t)symbol * UINT64_C(0x9e3779b97f4a7c15);
	size_t slot = (size_t)(hash >> 32) % MEMO_SLOTS;

	for (unsigned i = 1; i < MEMO_WAYS; i++) {
		if (memo->slots[slot].symbol == NULL ||
		    memo->slots[slot].symbol == symbol)
			break;
		slot = (slot + 1) % MEMO_SLOTS;
	}
	return slot;
}

static const pmodule_constraint_t *
rule_of_frame(struct call *call, struct memo *memo, const char *symbol)
{
	size_t slot = memo_slot(memo, symbol);

	if (memo->slots[slot].symbol != symbol) {
		memo->slots[slot].symbol = symbol;
		memo->slots[slot].rule = find_rule(call, symbol);
		memo->slots[slot].of_user = call->of_user;
	}
	call->of_user = memo->slots[slot].of_user;
	return memo->slots[slot].rule;
}

static void
judge_frames(ptrace_backtrace_t *bt)
{
	struct call call = {.bt = bt, .target = ptrace_backtrace_target(bt)};
	uint32_t n_threads = ptrace_backtrace_n_threads(bt);
	uint32_t left = FRAMES_MAX, findings = 0;
	struct memo memo = {0};

	for (uint32_t i = 0; i < n_threads && i < THREADS_MAX; i++) {
		ptrace_thread_t *thread = ptrace_backtrace_thread(bt, i);
		uint32_t n = ptrace_thread_n_frames(thread);

		for (uint32_t j = 0; j < n && j < NEAR && left > 0; j++) {
			ptrace_frame_t *f = ptrace_thread_frame(thread, j);

			left--;
			call.rule = f != NULL && ptrace_frame_n_variables(f) > 0
			    ? rule_of_frame(
				  &call, &memo, ptrace_frame_symbol(f))
			    : NULL;
			if (call.rule != NULL)
				findings += judge_frame(&call, thread, f);
			if (findings == FINDINGS_MAX)
				return;
		}
	}
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;

	if (crash_resolve(bt, &c))
		judge_crash(&c);
	judge_frames(bt);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("constraint", load, NULL, NULL)

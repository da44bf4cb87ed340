/* SPDX-License-Identifier: MIT */
/*
 * Chains of returns (return-oriented programming). The stack of a thread holds
 * return addresses, each behind a call. A chain holds addresses of the ends of
 * functions, which nobody called: "pop rdi; ret", "pop rsi; pop r15; ret". From
 * a slot with such an address the next one is where the `ret` takes its target,
 * so a chain is followed as the processor would.
 *
 * What healthy stacks hold by chance is single: a saved program counter of a
 * signal, a label, what a function left behind; never three in a row, each of
 * which ends at the next. Addresses of functions (tables of callbacks) are no
 * gadgets.
 */
#include "blame.h"
#include "tampering.h"

enum {
	GADGET_INSTRUCTIONS = 6,
	GADGETS_MIN = 3,
	GADGETS_MAX = 64,
	BELOW_BYTES = 512, /* what a chain has taken already */
	ABOVE_BYTES = 4096,
	WORDS = (BELOW_BYTES + ABOVE_BYTES) / 8,
	THREADS_MAX = 1024
};

struct gadget_scan {
	struct tampering *report;
	ptrace_target_t *target;
	bt_addr_t base;
	uint64_t words[WORDS];
	size_t n;
	/* Of each word: bytes of stack that its gadget takes besides its own
	 * address; 0: not looked yet, 1: no gadget. */
	uint16_t taken[WORDS];
};

/* Ends the instructions from the address on in a return, with nothing before it
 * but pops and register work? *taken: what the pops take, and the return. */
static bool
is_gadget(ptrace_target_t *t, bt_addr_t address, uint16_t *taken)
{
	ptrace_instruction_t in = PTRACE_INSTRUCTION_INIT;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bt_addr_t start, end;
	const char *sp = ptrace_register_name(PTRACE_REGISTER_SP);
	uint16_t pops = 0;

	if (ptrace_target_mapping(t, address, &m) == false ||
	    m.permissions > 7 || (m.permissions & PTRACE_PERM_EXEC) == 0 ||
	    ptrace_target_call_before(t, address, &in) ||
	    (ptrace_target_function(t, address, &start, &end) &&
		start == address))
		return false;
	for (int i = 0; i < GADGET_INSTRUCTIONS; i++) {
		in.size = sizeof(in);
		if (ptrace_target_instruction(t, address, &in) == false)
			return false;
		if (in.flow == PTRACE_FLOW_RETURN) {
			*taken = (uint16_t)(pops * 8 + 8);
			return true;
		}
		if (in.flow != PTRACE_FLOW_NONE)
			return false;
		if (strncmp(in.text, "pop ", 4) == 0)
			pops++;
		else if ((sp != NULL && strstr(in.text, sp) != NULL) ||
		    strncmp(in.text, "push", 4) == 0 ||
		    strncmp(in.text, "leave", 5) == 0)
			return false; /* the next slot cannot be told */
		address += in.length;
	}
	return false;
}

static bool
gadget_at(struct gadget_scan *s, size_t i)
{

	if (s->taken[i] == 0 &&
	    is_gadget(s->target, s->words[i], &s->taken[i]) == false)
		s->taken[i] = 1;
	return s->taken[i] > 1;
}

/* How many gadgets follow each other from the i-th word on. */
static unsigned
chain_length(struct gadget_scan *s, size_t i)
{
	unsigned n = 0;

	for (; i < s->n && n < GADGETS_MAX && gadget_at(s, i); n++)
		i += s->taken[i] / 8;
	return n;
}

static void
report_chain(
    struct gadget_scan *s, ptrace_thread_t *thread, size_t i, unsigned length)
{
	struct tampering *t = s->report;

	if (t->places == 0) {
		t->report.thread = thread;
		t->report.frame = blame_frame(thread, NULL);
	}
	tampering_add(t, s->base + i * 8,
	    pmodule_text(t->bt,
		"thread %u: %u return addresses in a row from 0x%" PRIx64
		" on that no call has left, first %s",
		ptrace_thread_tid(thread), length, s->base + i * 8,
		tampering_place(t, s->words[i])));
}

static size_t
read_words(struct gadget_scan *s)
{

	return ptrace_target_read_some(
		   s->target, s->base, s->words, sizeof(s->words)) /
	    8;
}

static void
scan_thread(struct gadget_scan *s, ptrace_thread_t *thread)
{
	uint64_t sp;

	if (!ptrace_thread_register(thread, PTRACE_REGISTER_SP, &sp) ||
	    sp < BELOW_BYTES)
		return;
	memset(s->taken, 0, sizeof(s->taken));
	s->base = (sp - BELOW_BYTES) & ~UINT64_C(7);
	s->n = read_words(s);
	if (s->n == 0) { /* the stack begins here */
		s->base = sp & ~UINT64_C(7);
		s->n = read_words(s);
	}
	for (size_t i = 0; i < s->n; i++) {
		unsigned length = chain_length(s, i);

		if (length < GADGETS_MIN)
			continue;
		report_chain(s, thread, i, length);
		return;
	}
}

void
tampering_return_chains(struct tampering *t)
{
	struct gadget_scan *s = calloc(1, sizeof(*s));
	uint32_t n = ptrace_backtrace_n_threads(t->bt);

	if (s == NULL)
		return;
	s->report = t;
	s->target = t->target;
	for (uint32_t i = 0; i < n && i < THREADS_MAX; i++)
		scan_thread(s, ptrace_backtrace_thread(t->bt, i));
	free(s);
}

/* SPDX-License-Identifier: MIT */
/*
 * errno outlives the call that set it, so it is only looked at when a pointer
 * is known to come from a call that failed just now. The C library's
 * __errno_location says where it is: it adds a word of the library's to the
 * thread pointer.
 */
#include <errno.h>
#include <string.h>

#include "limits.h"

enum { INSTRUCTIONS_MAX = 6 };

bool
limits_errno(ptrace_thread_t *thread, int *out)
{
	ptrace_target_t *t = ptrace_backtrace_target(
	    ptrace_thread_backtrace(thread));
	uint64_t storage, offset;
	int32_t value;
	bt_addr_t at;

	if (!ptrace_target_symbol_named(
		t, NULL, "__errno_location", &at, NULL) ||
	    !ptrace_thread_register(
		thread, PTRACE_REGISTER_THREAD_POINTER, &storage))
		return false;
	for (unsigned i = 0; i < INSTRUCTIONS_MAX; i++) {
		ptrace_instruction_t in = PTRACE_INSTRUCTION_INIT;
		const ptrace_operand_t *o = &in.operands[0];

		if (!ptrace_target_instruction(t, at, &in) ||
		    in.flow != PTRACE_FLOW_NONE)
			return false;
		at += in.length;
		/* Only an address relative to the code is known by itself. */
		if (!in.loads || !o->effective_known || o->segment_relative)
			continue;
		if (!ptrace_target_read(
			t, o->effective, &offset, sizeof(offset), NULL) ||
		    !ptrace_target_read(
			t, storage + offset, &value, sizeof(value), NULL))
			return false;
		*out = value;
		return true;
	}
	return false;
}

static uint64_t
address_space(ptrace_target_t *t)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t sum = 0;

	for (bt_addr_t at = 0; ptrace_target_mapping_next(t, at, &m);
	     at = m.end)
		sum += m.end - m.start;
	return sum;
}

void
limits_note(const struct crash *c, const char *name, struct report *r)
{
	int number;

	/* A handler that ran since has calls of its own. */
	if (c->handled || !limits_errno(c->thread, &number))
		return;
	if (number == EMFILE) {
		report_note(r,
		    pmodule_text(c->bt,
			"errno is EMFILE: as many files are open as "
			"RLIMIT_NOFILE allows"));
		report_token(r, "rlimit.nofile");
	} else if (number == ENOMEM) {
		report_note(r,
		    pmodule_text(c->bt,
			"errno is ENOMEM: %s failed for want of memory "
			"(RLIMIT_AS, RLIMIT_DATA, or the system's; the process "
			"had %" PRIu64 " MiB of address space)",
			name != NULL ? name : "mmap",
			address_space(c->target) >> 20));
	} else if (number == ENFILE) {
		report_note(r,
		    "errno is ENFILE: the whole system has too many files "
		    "open");
	}
}

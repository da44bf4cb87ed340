/* SPDX-License-Identifier: MIT */
/*
 * Faults that no software made: code in memory that differs from the file it
 * was loaded from by a few bits, and machine checks that the kernel reports.
 */
#include <signal.h>

#include "common/crash.h"

enum { CODE_BYTES = 64, FLIPS_MAX = 4 };

/* Breakpoints are int3 written over code; a debugger left them. */
static const uint8_t breakpoint = 0xcc;

static void
compare_code(const struct crash *c)
{
	uint8_t memory[CODE_BYTES], file[CODE_BYTES];
	bt_addr_t start = c->pc - CODE_BYTES / 2;
	size_t n = ptrace_target_read_some(
	    c->target, start, memory, sizeof(memory));
	size_t m = ptrace_target_read_file(
	    c->target, start, file, sizeof(file));
	unsigned flips = 0, bytes = 0, at = 0;

	for (size_t i = 0; i < n && i < m; i++) {
		if (memory[i] == file[i])
			continue;
		if (memory[i] == breakpoint || file[i] == breakpoint)
			return;
		bytes++;
		at = (unsigned)i;
		flips += (unsigned)__builtin_popcount(memory[i] ^ file[i]);
	}
	/* More than a few bits is code that was patched on purpose. */
	if (flips == 0 || flips > FLIPS_MAX)
		return;
	pmodule_backtrace_annotate(c->bt, PAT_CRITICAL,
	    "the code at 0x%" PRIx64
	    " differs from its file by %u bit%s in %u byte%s: bad memory, or "
	    "a stray write",
	    start + at, flips, flips == 1 ? "" : "s", bytes,
	    bytes == 1 ? "" : "s");
	pmodule_classifier_add(c->bt, "text.corrupt");
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;

	if (crash_resolve(bt, &c) == false || c.kind == CRASH_SENT ||
	    c.kind == CRASH_NONE || c.context == NULL)
		return;
	if (c.signal.number == SIGBUS && c.signal.has_info &&
	    (c.signal.code == BUS_MCEERR_AR ||
		c.signal.code == BUS_MCEERR_AO)) {
		pmodule_backtrace_annotate(bt, PAT_CRITICAL,
		    "the kernel reports a memory failure (machine check)");
		pmodule_classifier_add(bt, "machine-check");
	}
	if (c.kind != CRASH_EXECUTE)
		compare_code(&c);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("hardware", load, NULL, NULL)

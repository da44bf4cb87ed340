/* SPDX-License-Identifier: MIT */
/*
 * Control that went where no code is: bad function pointers, data that was
 * called, libraries that were unloaded, returns to garbage.
 */
#include <string.h>

#include "common/caller.h"
#include "common/crash.h"

enum { CANDIDATES_MAX = 1 << 16 };

static void
judge_return(const struct crash *c, bt_addr_t goal)
{
	struct report r = report_of(c, "stack-corruption", 0.88,
	    pmodule_text(c->bt,
		"return to 0x%" PRIx64 ": the return address on the stack was "
		"overwritten",
		goal));

	report_note(&r,
	    pmodule_text(
		c->bt, "0x%" PRIx64 " %s", goal, crash_place_text(c, goal)));
	report_token(&r, "stack.corrupt");
	report_publish(&r);
}

/* Another thread stands near the pc where nothing is mapped, either. */
static bool
others_too(const struct crash *c)
{
	const uint64_t reach = 16 << 20;
	uint32_t n = ptrace_backtrace_n_threads(c->bt);

	for (uint32_t i = 0; i < n; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(c->bt, i);
		ptrace_mapping_t m = PTRACE_MAPPING_INIT;
		uint64_t pc;

		if (t != c->thread &&
		    ptrace_thread_register(t, PTRACE_REGISTER_PC, &pc) &&
		    pc - c->pc + reach < 2 * reach &&
		    !ptrace_target_mapping(c->target, pc, &m))
			return true;
	}
	return false;
}

struct gone { /* a library that was there */
	bt_addr_t start, end;
	bt_addr_t record; /* of the loader */
};

/* Three words of the loader's record of a library: where it is mapped, to where
 * it reaches, and where its code ends (struct link_map of glibc: l_map_start,
 * l_map_end, l_text_end). Nothing of it is mapped any more. */
static bool
is_record(const struct crash *c, bt_addr_t at, struct gone *out)
{
	const uint64_t page = 4096, largest = UINT64_C(1) << 30;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t words[3];

	if (!ptrace_target_read(c->target, at, words, sizeof(words), NULL) ||
	    words[0] % page != 0 || c->pc < words[0] || c->pc >= words[1] ||
	    words[1] - words[0] > largest || words[2] <= words[0] ||
	    words[2] > words[1] || c->pc >= words[2])
		return false;
	/* The first mapping that ends above its start begins behind it. */
	if (ptrace_target_mapping_next(c->target, words[0], &m) &&
	    m.start < words[1])
		return false;
	*out = (struct gone){words[0], words[1], at};
	return true;
}

/*
 * The loader frees its record of a library when it unloads it, but memory that
 * was freed keeps most of what was in it. So it is looked for in all that is
 * anonymous and writable.
 */
static bool
was_library(const struct crash *c, struct gone *out)
{
	const uint32_t data = PTRACE_PERM_READ | PTRACE_PERM_WRITE;
	const uint64_t reach = UINT64_C(256) << 20, most = UINT64_C(64) << 20;
	uint64_t low = c->pc > reach ? c->pc - reach : 0, value, read = 0;
	unsigned candidates = 0;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bt_addr_t found;

	for (bt_addr_t at = 0;
	     ptrace_target_mapping_next(c->target, at, &m) && read < most;
	     at = m.end) {
		if (m.permissions != data ||
		    (m.path != NULL && m.path[0] == '/') ||
		    (m.path != NULL && strcmp(m.path, "[stack]") == 0))
			continue;
		for (at = m.start; candidates < CANDIDATES_MAX &&
		     ptrace_target_find_word(
			 c->target, at, m.end, low, c->pc, &found, &value);
		     candidates++, at = found + 8)
			if (is_record(c, found, out))
				return true;
		read += m.end - m.start;
	}
	return false;
}

/* The pc lies between the mappings of one module, where its file has more than
 * is mapped: that part was unmapped under a thread that ran in it or was to
 * return there. An overwritten address would hardly hit such a hole. */
static bool
judge_hole(const struct crash *c)
{
	ptrace_module_t module = PTRACE_MODULE_INIT;
	struct report r;

	if (!ptrace_target_module_at(c->target, c->pc, &module))
		return false;
	r = report_of(c, "unloaded-module", 0.85,
	    pmodule_text(c->bt,
		"execution at 0x%" PRIx64 ", a part of %s that is no longer "
		"mapped",
		c->pc, module.path != NULL ? module.path : "a module"));
	report_token(&r, "jump");
	report_token(&r, "unloaded");
	caller_note(c, &r);
	report_publish(&r);
	return true;
}

/* The pc itself is the bad address. */
static void
judge_pc(const struct crash *c)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	bool mapped = ptrace_target_mapping(c->target, c->pc, &m);
	bool library = false;
	struct gone gone;
	struct report r;

	if (!mapped && judge_hole(c))
		return;
	if (caller_way(c, &call) == CALLER_RETURN) {
		judge_return(c, c->pc);
		return;
	}
	if (crash_is_null(c->pc))
		return; /* a null function pointer: the module of nulls */
	if (mapped) {
		r = report_of(c, "nx-exec", 0.85,
		    pmodule_text(c->bt,
			"jump to 0x%" PRIx64 ", which is data, not code (%s)",
			c->pc, m.path != NULL ? m.path : "anonymous memory"));
		report_token(&r, "jump");
		report_token(&r, "nx");
	} else if ((library = was_library(c, &gone)) || others_too(c)) {
		r = report_of(c, "unloaded-module", library ? 0.9 : 0.8,
		    pmodule_text(c->bt,
			"jump to 0x%" PRIx64 ", where code was mapped: a "
			"library was unloaded while in use",
			c->pc));
		if (library)
			report_note(&r,
			    pmodule_text(c->bt,
				"a library was mapped at 0x%" PRIx64
				"-0x%" PRIx64
				": the loader's record of it is still in freed "
				"memory, at 0x%" PRIx64,
				gone.start, gone.end, gone.record));
		report_token(&r, "jump");
		report_token(&r, "unloaded");
	} else {
		r = report_of(c, "bad-jump", 0.85,
		    pmodule_text(c->bt,
			"jump to 0x%" PRIx64 ", which is not mapped", c->pc));
		report_token(&r, "jump");
	}
	caller_note(c, &r);
	report_publish(&r);
}

/* The target is non-canonical: the processor faults at the call. */
static void
judge_target(const struct crash *c)
{
	struct report r;

	if (c->instruction.flow == PTRACE_FLOW_RETURN) {
		judge_return(c, c->address);
		return;
	}
	r = report_of(c, "bad-jump", 0.88,
	    pmodule_text(c->bt,
		"\"%s\" through a function pointer that holds 0x%" PRIx64
		", an address no code can have",
		c->instruction.text, c->address));
	report_token(&r, "jump");
	report_publish(&r);
}

/*
 * The pc is in code, but it was reached by a return to where no call is: the
 * word just below the stack pointer is the pc, or an address some instructions
 * before it, no call stands in front of that, and it does not begin a
 * function. A return address of which only low bytes were overwritten leads
 * there.
 */
static void
judge_landing(const struct crash *c)
{
	const uint64_t executed = 16;
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	bt_addr_t landing, start, end;
	struct report r;

	if (!ptrace_target_read(
		c->target, c->sp - 8, &landing, sizeof(landing), NULL) ||
	    c->pc - landing >= executed ||
	    ptrace_target_call_before(c->target, landing, &call))
		return;
	if (ptrace_target_symbol(c->target, landing, &start) != NULL &&
	    start == landing)
		return;
	if (ptrace_target_function(c->target, landing, &start, &end) &&
	    start == landing)
		return;
	r = report_of(c, "stack-corruption", 0.96,
	    pmodule_text(c->bt,
		"return to 0x%" PRIx64 ", where no call was made: the return "
		"address on the stack was overwritten",
		landing));
	report_token(&r, "stack.corrupt");
	report_publish(&r);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;

	if (crash_resolve(bt, &c) == false)
		return;
	if (c.kind == CRASH_EXECUTE)
		judge_pc(&c);
	else if (c.bad_target)
		judge_target(&c);
	else if (c.has_instruction && c.kind != CRASH_SENT)
		judge_landing(&c);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("jump", load, NULL, NULL)

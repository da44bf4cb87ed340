/* SPDX-License-Identifier: MIT */
/*
 * Accesses that the memory or the instruction forbids: read-only and protected
 * pages, files cut short under their mapping, misalignment, privileged
 * instructions; and what is left, addresses where nothing is mapped or that no
 * pointer can have. The last two say the least, so every other explanation
 * goes before them.
 */
#include <signal.h>
#include <string.h>

#include "common/crash.h"
#include "common/variables.h"

static void
publish(const struct crash *c, struct report *r, const char *token)
{
	const ptrace_operand_t *o = c->operand;
	struct variable_match m;

	if (o != NULL && o->base_known && o->segment_relative == false) {
		if (variables_with_value(c, o->base_value, &m))
			report_note(r, m.evidence);
		else
			report_note(
			    r, crash_register_text(c, o->base, o->base_value));
	}
	report_note(r, crash_index_text(c));
	if (c->has_address)
		report_note(r,
		    pmodule_text(c->bt, "0x%" PRIx64 " %s", c->address,
			crash_place_text(c, c->address)));
	report_token(r, token);
	report_publish(r);
}

static void
judge_mapping(const struct crash *c)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bool mapped = ptrace_target_mapping(c->target, c->address, &m);
	struct report r;

	if (mapped && m.permissions == 0) {
		r = report_of(c, "protected-access", 0.8,
		    pmodule_text(c->bt,
			"%s at 0x%" PRIx64 ", which is mapped without any "
			"permission",
			crash_access_text(c), c->address));
		publish(c, &r, "protected");
	} else if (mapped && crash_direction_is(c, "write") &&
	    (m.permissions & PTRACE_PERM_WRITE) == 0) {
		r = report_of(c, "readonly-write", 0.9,
		    pmodule_text(c->bt,
			"%s at 0x%" PRIx64 ", which is read-only (%s)",
			crash_access_text(c), c->address,
			m.path != NULL ? m.path : "anonymous memory"));
		publish(c, &r, "readonly");
	} else if (mapped == false) {
		r = report_of(c, "wild-access", 0.6,
		    pmodule_text(c->bt,
			"%s at 0x%" PRIx64 ", which is not mapped",
			crash_access_text(c), c->address));
		publish(c, &r, "wild");
	}
}

/* What only the code of the signal tells (Linux asm-generic/siginfo.h). */
static bool
judge_code(const struct crash *c)
{
	enum { PROTECTION_KEY = 4, CONTROL_PROTECTION = 10 };
	struct report r;

	if (c->signal.number != SIGSEGV || c->signal.has_info == false)
		return false;
	if (c->signal.code == PROTECTION_KEY) {
		r = report_of(c, "protected-access", 0.9,
		    pmodule_text(c->bt,
			"%s at 0x%" PRIx64 ", which a protection key forbids",
			crash_access_text(c), c->address));
		publish(c, &r, "protected");
		return true;
	}
	if (c->signal.code == CONTROL_PROTECTION) {
		r = report_of(c, "stack-corruption", 0.95,
		    "the return address differs from the one on the shadow "
		    "stack: it was overwritten");
		publish(c, &r, "stack.corrupt");
		return true;
	}
	return false;
}

/* The instruction is not readable: the file it is from is missing. */
static void
judge_unknown(const struct crash *c)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	struct report r;

	if (pmodule_finding_confidence(c->bt, "null-deref") > 0 ||
	    ptrace_target_mapping(c->target, c->address, &m))
		return;
	r = report_of(c, "wild-access", 0.5,
	    pmodule_text(c->bt,
		"an access at 0x%" PRIx64 ", which is not mapped", c->address));
	report_note(&r,
	    pmodule_text(c->bt,
		"the instruction at 0x%" PRIx64
		" is not readable: the file it is from is missing",
		c->pc));
	report_token(&r, "wild");
	report_publish(&r);
}

static void
judge_page_fault(const struct crash *c)
{

	if (judge_code(c))
		return;
	if (c->operand == NULL) {
		if (c->has_instruction == false)
			judge_unknown(c);
		else
			pmodule_backtrace_annotate(c->bt, PAT_COMMENT,
			    "no operand of \"%s\" covers 0x%" PRIx64,
			    c->instruction.text, c->address);
		return;
	}
	/* Null and stack overflow were there first: what is mapped at such an
	 * address is an accident. */
	if (pmodule_finding_confidence(c->bt, "null-deref") > 0 ||
	    pmodule_finding_confidence(c->bt, "stack-overflow") > 0)
		return;
	judge_mapping(c);
}

static void
judge_protection(const struct crash *c)
{
	struct report r;

	if (c->bad_target || c->has_instruction == false)
		return;
	if (c->operand != NULL &&
	    !ptrace_target_canonical(c->target, c->address)) {
		r = report_of(c, "noncanonical-access", 0.8,
		    pmodule_text(c->bt,
			"%s at 0x%" PRIx64 ", an address no pointer can have",
			crash_access_text(c), c->address));
		publish(c, &r, "noncanonical");
	} else if (c->operand != NULL) {
		r = report_of(c, "misaligned-access", 0.9,
		    pmodule_text(c->bt,
			"%s at 0x%" PRIx64 ", but the instruction needs a "
			"multiple of %u",
			crash_access_text(c), c->address, c->operand->align));
		publish(c, &r, "align");
	} else if (crash_is_check(c)) {
		/* What it checked, others know better. */
		r = report_of(c, "lib-check", 0.5,
		    "a check of the C library (musl) failed: it ends the "
		    "process by hlt");
		publish(c, &r, "lib.check");
	} else if (c->instruction.privileged) {
		r = report_of(c, "privileged-insn", 0.85,
		    pmodule_text(c->bt, "\"%s\" is not allowed in user mode",
			c->instruction.text));
		publish(c, &r, "privileged");
	}
}

static void
judge_file(const struct crash *c)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	struct report r;

	if (c->direction == NULL ||
	    !ptrace_target_mapping(c->target, c->address, &m) || m.path == NULL)
		return;
	r = report_of(c, "file-truncated", 0.85,
	    pmodule_text(c->bt,
		"%s at 0x%" PRIx64 ", beyond the end of the mapped file %s",
		crash_access_text(c), c->address, m.path));
	report_note(&r,
	    pmodule_text(c->bt,
		"the access is at offset 0x%" PRIx64 " of the file, which was "
		"shortened after it was mapped (or its disk has failed)",
		c->address - m.start + m.offset));
	publish(c, &r, "file.truncated");
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;
	struct report r;

	if (crash_resolve(bt, &c) == false)
		return;
	switch (c.kind) {
	case CRASH_PAGE:
		judge_page_fault(&c);
		break;
	case CRASH_PROTECTION:
		judge_protection(&c);
		break;
	case CRASH_FILE:
		judge_file(&c);
		break;
	case CRASH_ALIGNMENT:
		r = report_of(&c, "misaligned-access", 0.9,
		    "misaligned access while alignment checks are on");
		publish(&c, &r, "align");
		break;
	default:
		break;
	}
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("access", load, NULL, NULL)

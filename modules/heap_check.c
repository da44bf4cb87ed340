/* SPDX-License-Identifier: MIT */
/*
 * The whole heap, whatever the process died of: damage often kills far from
 * where it was done. It is the cause of death only where something leads to
 * it; else it is told in the background of what others found.
 */
#include <signal.h>
#include <string.h>

#include "common/damage.h"
#include "common/use.h"

static const char *const told[] = {"double-free", "invalid-free",
    "heap-overflow", "heap-underflow", "use-after-free", "heap-corruption",
    "alloc-mismatch"};

static bool
is_told(ptrace_backtrace_t *bt)
{

	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		if (pmodule_finding_confidence(bt, told[i]) >= 0.5)
			return true;
	return false;
}

/* The process stopped itself and nobody knows why. */
static bool
is_unexplained(const struct crash *c)
{

	return (c->final.number == SIGABRT || crash_is_check(c)) &&
	    c->handled == false &&
	    pmodule_finding_confidence(c->bt, NULL) <= 0.5;
}

/* The bad pointer was read from a block that was run over. */
static const char *
leads_to_damage(const struct crash *c, ptrace_heap_block_t *block)
{
	struct use u = {.c = c};

	if ((c->kind != CRASH_PAGE && c->kind != CRASH_PROTECTION &&
		c->kind != CRASH_EXECUTE) ||
	    use_in_function(&u) == false ||
	    !ptrace_heap_at(c->target, u.holder, block) ||
	    !damage_near(c->target, block))
		return NULL;
	return "the pointer that failed was read from there";
}

/* The write went on and on, over the last header of the heap, until the memory
 * ended. */
static const char *
ran_off(const struct crash *c, ptrace_heap_block_t *block)
{
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	if (c->kind != CRASH_PAGE || crash_direction_is(c, "write") == false ||
	    !ptrace_target_mapping(c->target, c->address - 1, &m) ||
	    m.end != c->address)
		return NULL;
	for (uint32_t i = 0; ptrace_heap_anomaly(c->target, i, &a); i++)
		if (!a.transient && a.address >= m.start && a.address < m.end &&
		    (a.check == PTRACE_HEAP_CHECK_SIZE ||
			a.check == PTRACE_HEAP_CHECK_TOP) &&
		    ptrace_heap_at(
			c->target, a.before != 0 ? a.before : a.address, block))
			return "the access that failed is behind the end of "
			       "that memory: the write went on up to there";
	return NULL;
}

/* Of a process that did not crash it says nothing worth a token. */
static void
tell_transient(ptrace_backtrace_t *bt)
{
	struct crash c;

	if (crash_resolve(bt, &c))
		pmodule_classifier_add(bt, "heap.transient");
	pmodule_backtrace_annotate(bt, PAT_COMMENT,
	    "the heap was being changed when the process was caught: what "
	    "looks wrong in it is no damage");
}

/* Pointers of the thread that crashed to blocks that are smaller than what they
 * point to. Said at the variable, no more: a program may mean to use less. */
static void
tell_small_blocks(const struct crash *c)
{
	const uint32_t frames = 16, variables = 256;
	uint32_t n = ptrace_thread_n_frames(c->thread);

	for (uint32_t i = 0; i < n && i < frames; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);
		uint32_t count = f != NULL ? ptrace_frame_n_variables(f) : 0;

		for (uint32_t k = 0; k < count && k < variables; k++) {
			ptrace_variable_t *v = ptrace_frame_variable(f, k);
			ptrace_variable_info_t info = PTRACE_VARIABLE_INFO_INIT;
			ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
			const char *text;

			if (v == NULL || !ptrace_variable_info(v, &info) ||
			    info.kind != PTRACE_VARIABLE_POINTER ||
			    !info.has_value ||
			    !ptrace_heap_at(c->target, info.value, &b))
				continue;
			text = damage_too_small(c->bt, f, &info, &b);
			if (text != NULL)
				pmodule_variable_annotate(
				    v, PAT_WARNING, "%s", text);
		}
	}
}

static void
analyse(ptrace_backtrace_t *bt)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	ptrace_heap_block_t block = PTRACE_HEAP_BLOCK_INIT;
	struct report r = {.bt = bt};
	const char *leads = NULL;
	bool transient, crashed;
	struct crash c;

	/* A running process changes its heap while it is read. */
	if (ptrace_target_live(t))
		return;
	crashed = crash_resolve(bt, &c) && c.context != NULL;
	if (crashed)
		tell_small_blocks(&c);
	if (is_told(bt))
		return;
	if (damage_any(t, &transient) == false) {
		if (transient)
			tell_transient(bt);
		return;
	}
	if (crashed) {
		r = report_of(&c, "", 0, NULL);
		leads = leads_to_damage(&c, &block);
		if (leads == NULL)
			leads = ran_off(&c, &block);
	}
	if (!damage_explain(bt, leads != NULL ? &block : NULL, &r))
		return;
	if (leads != NULL) {
		report_note(&r, leads);
		r.confidence = 0.96;
	} else {
		r.background = !crashed || !is_unexplained(&c);
	}
	report_publish(&r);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("heap-check", load, NULL, NULL)

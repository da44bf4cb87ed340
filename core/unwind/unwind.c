/* SPDX-License-Identifier: MIT */
/*
 * The walk from frame 0 to the outermost frame, and the room's interface.
 */
#include "unwind/unwind.h"

#include "unwind/unwinder.h"
#include <stdlib.h>

enum { WRITTEN_MAX = 1 << 16 };

const char *
unwind_trust_name(enum unwind_trust trust)
{
	static const char *const names[UNWIND_TRUST__COUNT] = {
	    [UNWIND_CONTEXT] = "context",
	    [UNWIND_CFI] = "cfi",
	    [UNWIND_DEBUG_FRAME] = "debug_frame",
	    [UNWIND_FP] = "fp",
	    [UNWIND_RETURN_SLOT] = "return_slot",
	    [UNWIND_PROLOGUE] = "prologue",
	    [UNWIND_SCAN] = "scan",
	    [UNWIND_TAILCALL] = "tailcall",
	};

	return trust < UNWIND_TRUST__COUNT ? names[trust] : "unknown";
}

const char *
unwind_stop_text(enum unwind_stop stop)
{
	static const char *const texts[UNWIND_STOP__COUNT] = {
	    [UNWIND_STOP_END] = "end of stack",
	    [UNWIND_STOP_NO_REGISTERS] = "no registers",
	    [UNWIND_STOP_UNREADABLE] = "stack memory unreadable",
	    [UNWIND_STOP_NOT_CODE] = "return address is not code",
	    [UNWIND_STOP_NO_PROGRESS] = "stack does not progress",
	    [UNWIND_STOP_LIMIT] = "frame limit",
	    [UNWIND_STOP_BUDGET] = "budget spent",
	    [UNWIND_STOP_NO_INFO] = "no unwind information",
	    [UNWIND_STOP_ARCH] = "not unwound: architecture",
	};

	return stop < UNWIND_STOP__COUNT ? texts[stop] : "unknown";
}

/* The span of executable memory, to tell most stack words from code by two
 * comparisons. The old vsyscall page in the kernel's half would make it the
 * whole address space, and nothing returns to it. */
static void
find_code(struct unwinder *u)
{
	const bt_addr_t kernel = UINT64_C(1) << 63;
	const struct target_mapping *m;
	size_t n = target_mappings(u->t, &m);

	u->code_low = UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		if (m[i].start >= kernel ||
		    (m[i].perms & (TARGET_X | TARGET_PERMS_UNKNOWN)) == 0)
			continue;
		if (m[i].start < u->code_low)
			u->code_low = m[i].start;
		if (m[i].end > u->code_high)
			u->code_high = m[i].end;
	}
}

struct unwinder *
unwinder_create(struct target *t, struct budget *budget)
{
	struct unwinder *u = calloc(1, sizeof(*u));
	struct target_module *modules;
	size_t n;

	if (u == NULL)
		return NULL;
	u->t = t;
	budget_init(&u->own_budget, UINT64_MAX, 0);
	u->budget = budget != NULL ? budget : &u->own_budget;
	u->arch = target_arch(t)->unwind;
	if (u->arch != NULL) {
		u->preserved = u->arch->preserved;
		u->linked = u->arch->link != ARCH_NO_PLACE;
		u->n_regs = arch_n_places(target_arch(t));
	}
	map_init(&u->written, WRITTEN_MAX);
	find_code(u);
	n = target_modules(t, &modules);
	u->tables = calloc(n + 1, sizeof(u->tables[0]));
	u->opened = calloc(n + 1, sizeof(u->opened[0]));
	u->debug_tried = calloc(n + 1, sizeof(u->debug_tried[0]));
	if (rules_init(u) == false || u->tables == NULL || u->opened == NULL ||
	    u->debug_tried == NULL) {
		unwinder_destroy(u);
		return NULL;
	}
	u->n_tables = n;
	return u;
}

struct budget *
unwinder_budget(struct unwinder *u, struct budget *budget)
{
	struct budget *before = u->budget;

	u->budget = budget;
	return before;
}

void
unwinder_destroy(struct unwinder *u)
{
	if (u == NULL)
		return;
	map_deinit(&u->written);
	rules_deinit(u);
	free(u);
}

const struct unwind_stats *
unwinder_stats(const struct unwinder *u)
{
	return &u->stats;
}

static void
begin_walk(struct unwinder *u)
{
	u->window.size = 0;
	u->jumps = u->scans = 0;
}

/*
 * Frames lie in order while there is room, then round and round in the second
 * half.
 */
static size_t
ring_start(const struct unwind_stack *s)
{
	size_t kept = s->frames.limit;

	return kept - kept / 2;
}

static size_t
place_of(const struct unwind_stack *s, uint64_t n)
{
	size_t start = ring_start(s);

	return start + (size_t)((n - start) % (s->frames.limit - start));
}

/* Takes the n-th frame; false: no memory. */
static bool
keep(struct unwind_stack *s, uint64_t n, const struct unwind_frame *f)
{
	if (n < s->frames.limit)
		return unwind_stack_copy(s, f) != NULL;
	memcpy(s->frames.items[place_of(s, n)], f, s->frame_size);
	return true;
}

static void
reverse(struct unwind_frame **f, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct unwind_frame *moved = f[i];

		f[i] = f[n - 1 - i];
		f[n - 1 - i] = moved;
	}
}

/* After n frames: puts the second half in order when it has gone round. */
static void
end_walk(struct unwind_stack *s, uint64_t n)
{
	size_t kept = s->frames.limit, start = ring_start(s);
	struct unwind_frame **ring = s->frames.items + start;
	size_t turn;

	if (n <= kept)
		return;
	turn = place_of(s, n) - start; /* the oldest */
	reverse(ring, turn);
	reverse(ring + turn, kept - start - turn);
	reverse(ring, kept - start);
	s->skipped = n - kept;
	s->skipped_at = start;
}

static bool
first_frame(struct unwinder *u, const struct target_thread *thread,
    struct unwind_frame *f, struct rule **rule)
{
	uint64_t pc;

	if (thread->has_regs == false ||
	    regs_get(&thread->regs.regs, ARCH_PC, &pc) == false)
		return false;
	f->regs = thread->regs.regs;
	f->pc = pc;
	f->exact_pc = true;
	f->trust = UNWIND_CONTEXT;
	*rule = rule_find(u, pc, true);
	frame_finish(u, f, *rule);
	return true;
}

/* From f, whose rule it is, to its caller and that one's. */
static bool
next_frame(struct unwinder *u, struct unwind_frame *f, struct rule **rule,
    bool innermost, struct unwind_frame *caller, struct stopped *s)
{
	if (u->arch == NULL) {
		s->why = UNWIND_STOP_ARCH;
		return false;
	}
	if (budget_step(u->budget) == false) {
		s->why = UNWIND_STOP_BUDGET;
		return false;
	}
	if (step_any(u, f, *rule, innermost, caller, rule, s) == false)
		return false;
	if (rules_trim(u))
		*rule = rule_find(u, caller->pc, caller->exact_pc);
	frame_finish(u, caller, *rule);
	return true;
}

/* At most `most` frames; false: there are more. */
static bool
walk(struct unwinder *u, const struct target_thread *thread, uint64_t most,
    struct unwind_stack *out)
{
	struct unwind_frame pair[2], *f = &pair[0], *caller = &pair[1], *freed;
	struct stopped s = {UNWIND_STOP_END, 0};
	struct rule *rule;
	bool more = true;
	uint64_t n = 0; /* frames so far */

	unwind_stack_begin(out, target_arch(u->t));
	out->skipped = out->skipped_at = 0;
	out->stop_address = 0;
	out->stop = UNWIND_STOP_NO_REGISTERS;
	begin_walk(u);
	(void)rules_trim(u);
	if (first_frame(u, thread, f, &rule) == false)
		return true;
	while (more && n < most) {
		/* Before it is kept: a step may find its CFA. */
		more = n + 1 == most ||
		    next_frame(u, f, &rule, n == 0, caller, &s);
		if (keep(out, n, f) == false) {
			s.why = UNWIND_STOP_LIMIT;
			more = false;
			break;
		}
		n++;
		freed = f;
		f = caller;
		caller = freed;
	}
	end_walk(out, n);
	u->stats.frames += n;
	out->stop = s.why;
	out->stop_address = s.address;
	return more == false;
}

void
unwind_thread(struct unwinder *u, const struct target_thread *thread,
    struct unwind_stack *out)
{
	(void)walk(u, thread, UINT64_MAX, out);
}

bool
unwind_innermost(struct unwinder *u, const struct target_thread *thread,
    size_t n, struct unwind_stack *out)
{
	size_t kept = out->frames.limit;

	return walk(u, thread, n < kept ? n : kept, out);
}

bool
unwind_step(struct unwinder *u, const struct unwind_frame *frame,
    bool innermost, struct unwind_frame *caller, enum unwind_stop *stop,
    bt_addr_t *stop_address)
{
	struct unwind_frame f;
	struct rule *rule;
	struct stopped s;
	bool done = false;

	memcpy(&f, frame, unwind_frame_size(target_arch(u->t)));
	begin_walk(u);
	(void)rules_trim(u);
	memset(caller, 0, sizeof(*caller));
	s = (struct stopped){
	    u->arch != NULL ? UNWIND_STOP_BUDGET : UNWIND_STOP_ARCH, 0};
	if (u->arch != NULL && budget_step(u->budget)) {
		rule = rule_find(u, f.pc, f.exact_pc);
		frame_finish(u, &f, rule);
		done = step_any(u, &f, rule, innermost, caller, &rule, &s);
	}
	if (done)
		frame_finish(u, caller, rule);
	*stop = s.why;
	*stop_address = s.address;
	return done;
}

bool
unwind_function_range(
    struct unwinder *u, bt_addr_t pc, bt_addr_t *start, bt_addr_t *end)
{
	struct target_module *module;
	struct cfi_fde fde;
	bool debug_frame;

	if (rules_fde(u, pc, &fde, &module, &debug_frame) == false)
		return false;
	*start = fde.start + module->bias;
	*end = fde.end + module->bias;
	return true;
}

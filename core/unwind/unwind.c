/* SPDX-License-Identifier: MIT */
/*
 * The walk from frame 0 to the outermost frame, and the room's interface.
 */
#include "unwind/unwind.h"

#include "unwind/unwinder.h"
#include <stdlib.h>

/* Frames kept at least, so that caller and callee never share a place. */
enum { FRAMES_MIN = 4, WRITTEN_MAX = 1 << 16 };

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

void
unwind_stack_init(struct unwind_stack *s, size_t max_frames)
{
	*s = (struct unwind_stack){0};
	if (max_frames < FRAMES_MIN)
		max_frames = FRAMES_MIN;
	if (max_frames > SIZE_MAX / 2)
		max_frames = SIZE_MAX / 2;
	vec_init(&s->frames, max_frames + 1);
}

void
unwind_stack_deinit(struct unwind_stack *s)
{
	vec_deinit(&s->frames);
}

static void
begin_walk(struct unwinder *u)
{
	u->window.size = 0;
	u->jumps = u->scans = 0;
}

/*
 * The vector has one place more than frames are kept: the step that finds the
 * end may have written there. Frames lie in order while there is room, then
 * round and round in the second half.
 */
static size_t
ring_start(const struct unwind_stack *s)
{
	size_t kept = s->frames.limit - 1;

	return kept - kept / 2;
}

static size_t
place_of(const struct unwind_stack *s, uint64_t n)
{
	size_t start = ring_start(s);

	if (n < s->frames.limit)
		return (size_t)n;
	return start + (size_t)((n - start) % (s->frames.limit - start));
}

/* Makes the place for the n-th frame; what it holds is not defined. */
static bool
make_place(struct unwind_stack *s, uint64_t n)
{
	if (n >= s->frames.limit)
		return true;
	if (s->frames.count < s->frames.room) {
		s->frames.count++;
		return true;
	}
	return vec_push(&s->frames) != NULL;
}

static void
reverse(struct unwind_frame *f, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct unwind_frame moved = f[i];

		f[i] = f[n - 1 - i];
		f[n - 1 - i] = moved;
	}
}

/* After n frames: puts the second half in order when it has gone round, the
 * place that is no frame last, and leaves that out. */
static void
end_walk(struct unwind_stack *s, uint64_t n)
{
	size_t kept = s->frames.limit - 1, start = ring_start(s);
	size_t size = s->frames.limit - start, turn;
	struct unwind_frame *ring = s->frames.items + start;

	if (n <= kept) {
		s->frames.count = (size_t)n;
		return;
	}
	turn = place_of(s, n) + 1 - start;
	reverse(ring, turn);
	reverse(ring + turn, size - turn);
	reverse(ring, size);
	s->frames.count = kept;
	s->skipped = n - kept;
	s->skipped_at = start;
}

static bool
first_frame(struct unwinder *u, const struct target_thread *thread,
    struct unwind_stack *out, struct rule **rule)
{
	struct unwind_frame *f;
	uint64_t pc;

	if (thread->has_regs == false ||
	    regs_get(&thread->regs.regs, ARCH_PC, &pc) == false) {
		out->stop = UNWIND_STOP_NO_REGISTERS;
		return false;
	}
	if (make_place(out, 0) == false) {
		out->stop = UNWIND_STOP_LIMIT;
		return false;
	}
	f = &out->frames.items[0];
	f->regs = thread->regs.regs;
	f->pc = pc;
	f->exact_pc = true;
	f->trust = UNWIND_CONTEXT;
	*rule = rule_find(u, pc, true);
	frame_finish(u, f, *rule);
	return true;
}

/* At most `most` frames; false: there are more. */
static bool
walk(struct unwinder *u, const struct target_thread *thread, uint64_t most,
    struct unwind_stack *out)
{
	struct rule *rule;
	struct stopped s = {UNWIND_STOP_END, 0};
	size_t at, next; /* places of callee and caller */
	uint64_t n = 1;	 /* frames so far */

	vec_clear(&out->frames);
	out->skipped = out->skipped_at = 0;
	out->stop_address = 0;
	begin_walk(u);
	(void)rules_trim(u);
	if (first_frame(u, thread, out, &rule) == false)
		return true;
	for (at = 0; n < most; n++, at = next) {
		struct unwind_frame *caller;

		next = at + 1 < out->frames.limit ? at + 1 : ring_start(out);
		if (u->arch == NULL) {
			s.why = UNWIND_STOP_ARCH;
			break;
		}
		if (budget_step(u->budget) == false) {
			s.why = UNWIND_STOP_BUDGET;
			break;
		}
		if (make_place(out, n) == false) {
			s.why = UNWIND_STOP_LIMIT;
			break;
		}
		caller = &out->frames.items[next];
		if (step_any(u, &out->frames.items[at], rule, n == 1, caller,
			&rule, &s) == false)
			break;
		if (rules_trim(u))
			rule = rule_find(u, caller->pc, caller->exact_pc);
		frame_finish(u, caller, rule);
	}
	end_walk(out, n);
	u->stats.frames += n;
	out->stop = s.why;
	out->stop_address = s.address;
	return n < most;
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
	size_t kept = out->frames.limit - 1;

	return walk(u, thread, n < kept ? n : kept, out);
}

bool
unwind_step(struct unwinder *u, const struct unwind_frame *frame,
    bool innermost, struct unwind_frame *caller, enum unwind_stop *stop,
    bt_addr_t *stop_address)
{
	struct unwind_frame f = *frame;
	struct rule *rule;
	struct stopped s;
	bool done = false;

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

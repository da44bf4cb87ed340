/* SPDX-License-Identifier: MIT */
/*
 * Stack overflow: of the main stack, a thread's, a coroutine's. Not the
 * instruction tells it (a push, a probe, a spill, a store far below may all be
 * the first to touch the guard), but the place: the access is below the stack
 * and the stack pointer is there as well. Then the frames say why: a cycle of
 * functions, or one large frame.
 *
 * And frame pointers that came back from the stack as something else.
 */
#include <signal.h>
#include <string.h>

#include "common/crash.h"
#include "common/stack.h"

/* How far below the stack pointer code may touch its stack: a page for a
 * probe or a push, the red zone. */
static const uint64_t reach = 4096;
enum { PERIOD_MAX = 16, SEARCH_FRAMES = 64, REPEATS_MIN = 8 };

static bool
is_overflow(const struct crash *c, ptrace_mapping_t *stack)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	const uint64_t below = 64 * 1024;

	if (c->kind != CRASH_PAGE || crash_direction_is(c, "execute") ||
	    stack_of(c, stack) == false || c->address >= stack->start)
		return false;
	if (ptrace_target_mapping(c->target, c->address, &m) &&
	    (m.permissions & PTRACE_PERM_WRITE) != 0)
		return false;
	/* With the stack pointer inside the stack only what a push reaches is
	 * an overflow; further down it is an index that went wrong. Outside of
	 * it, all that lies between is the new frame. */
	if (c->sp >= stack->start)
		return c->address + reach >= c->sp;
	return c->address + below >= c->sp;
}

/* ---- why ---- */

struct cycle {
	uint32_t start, period, repeats;
	uint64_t bytes; /* of stack in one turn; 0: unknown */
};

static const char *
symbol_at(const struct crash *c, uint32_t i)
{
	const ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);

	return f != NULL ? ptrace_frame_symbol(f) : "";
}

static bt_addr_t
ip_at(const struct crash *c, uint32_t i)
{
	const ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);

	return f != NULL ? ptrace_frame_ip(f) : 0;
}

/* Without symbols the return addresses repeat just as well. */
static bool
same_function(const struct crash *c, uint32_t a, uint32_t b)
{
	const char *x = symbol_at(c, a), *y = symbol_at(c, b);

	if (x[0] == '\0' && y[0] == '\0')
		return ip_at(c, a) == ip_at(c, b);
	return strcmp(x, y) == 0;
}

static uint32_t
run_length(const struct crash *c, uint32_t start, uint32_t period)
{
	uint32_t n = ptrace_thread_n_frames(c->thread), i = start;

	while (i + period < n && same_function(c, i, i + period))
		i++;
	return i - start + period;
}

static bool
find_cycle(const struct crash *c, struct cycle *out)
{
	uint32_t n = ptrace_thread_n_frames(c->thread);
	uint64_t skipped = ptrace_thread_frames_skipped(c->thread);
	uint64_t low, high;
	const ptrace_frame_t *a, *b;

	for (uint32_t start = 0; start < SEARCH_FRAMES && start < n; start++) {
		for (uint32_t period = 1; period <= PERIOD_MAX; period++) {
			uint32_t length = run_length(c, start, period);

			if (length < REPEATS_MIN * period)
				continue;
			out->start = start;
			out->period = period;
			out->repeats = (uint32_t)((length + skipped) / period);
			a = ptrace_thread_frame(c->thread, start + period);
			b = ptrace_thread_frame(c->thread, start + 2 * period);
			out->bytes = a != NULL && b != NULL &&
				ptrace_frame_stack_pointer(a, &low) &&
				ptrace_frame_stack_pointer(b, &high) &&
				high > low
			    ? high - low
			    : 0;
			return true;
		}
	}
	return false;
}

static const char *
cycle_text(const struct crash *c, const struct cycle *cycle)
{
	const char *text = NULL;

	for (uint32_t i = cycle->period; i-- > 0;) {
		const char *name = symbol_at(c, cycle->start + i);

		if (name[0] == '\0')
			name = pmodule_text(
			    c->bt, "0x%" PRIx64, ip_at(c, cycle->start + i));
		text = text == NULL
		    ? name
		    : pmodule_text(c->bt, "%s -> %s", text, name);
	}
	return text;
}

static const char *
size_text(const struct crash *c, uint64_t size)
{

	if (size >= 2 << 20)
		return pmodule_text(c->bt, "%" PRIu64 " MiB", size >> 20);
	if (size >= 4096)
		return pmodule_text(c->bt, "%" PRIu64 " KiB", size >> 10);
	return pmodule_text(c->bt, "%" PRIu64 " bytes", size);
}

static void
explain(const struct crash *c, const ptrace_mapping_t *stack, struct report *r)
{
	uint64_t caller = stack_caller(c), frame = caller - c->sp;
	struct cycle cycle;

	if (find_cycle(c, &cycle)) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, cycle.start);

		r->frame = f;
		r->text = pmodule_text(c->bt,
		    "stack overflow: %s repeated %u times%s, stack of %s",
		    cycle_text(c, &cycle), cycle.repeats,
		    cycle.bytes != 0
			? pmodule_text(
			      c->bt, ", %" PRIu64 " bytes each", cycle.bytes)
			: "",
		    size_text(c, stack->end - stack->start));
	} else if (caller > c->sp && frame > (stack->end - stack->start) / 4) {
		r->text = pmodule_text(c->bt,
		    "stack overflow: the frame of %s needs %s, the stack has "
		    "%s",
		    symbol_at(
			c, c->frame != NULL ? ptrace_frame_index(c->frame) : 0),
		    size_text(c, frame),
		    size_text(c, stack->end - stack->start));
		report_token(r, "stack.large-frame");
	}
}

/*
 * The main stack grows on its own, until it meets another mapping (the kernel
 * keeps 256 pages free in front of that) or its limit. The limit is not in a
 * core, but must lie between what the stack has and what was wanted.
 */
static void
note_limit(
    const struct crash *c, const ptrace_mapping_t *stack, struct report *r)
{
	const uint64_t gap = UINT64_C(256) * 4096;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	if (stack->path == NULL || strcmp(stack->path, "[stack]") != 0 ||
	    (ptrace_target_mapping_below(c->target, stack->start - 1, &m) &&
		(m.end > c->address || c->address - m.end < gap)))
		return;
	report_note(r,
	    pmodule_text(c->bt,
		"RLIMIT_STACK (ulimit -s) kept it from growing: the limit is "
		"between %" PRIu64 " and %" PRIu64 " KiB",
		(stack->end - stack->start) >> 10,
		(stack->end - c->address + 1023) >> 10));
	report_token(r, "rlimit.stack");
}

/* A signal came, and the rest of the stack was too small for its frame: the
 * kernel kills at once, as if the instruction at the pc had failed. Nothing is
 * wrong with that one. */
static bool
is_without_room(const struct crash *c, ptrace_mapping_t *stack)
{
	const uint64_t frame_max = 16 * 1024; /* with all vector registers */
	struct cycle cycle;

	return c->kind == CRASH_PROTECTION && c->signal.number == SIGSEGV &&
	    c->operand == NULL && c->bad_target == false &&
	    c->instruction.privileged == false &&
	    ptrace_target_mapping(c->target, c->sp, stack) &&
	    (stack->permissions & PTRACE_PERM_WRITE) != 0 &&
	    c->sp - stack->start < frame_max && find_cycle(c, &cycle);
}

static void
judge_without_room(const struct crash *c, const ptrace_mapping_t *stack)
{
	struct report r = report_of(c, "stack-overflow", 0.9, NULL);

	report_token(&r, "stack.overflow");
	explain(c, stack, &r);
	report_note(&r,
	    pmodule_text(c->bt,
		"the frame of a signal did not fit into the %" PRIu64
		" bytes that were left of the stack 0x%" PRIx64 "-0x%" PRIx64,
		c->sp - stack->start, stack->start, stack->end));
	report_publish(&r);
}

/* ---- frame pointers ---- */

/* Bytes of the frame below where the frame pointer points, by the code that
 * makes it: push rbp; mov rbp, rsp; further pushes; sub rsp. */
static bool
frame_room(const struct crash *c, bt_addr_t pc, uint64_t *room)
{
	static const uint8_t branch_mark[] = {0xf3, 0x0f, 0x1e, 0xfa};
	static const uint8_t make[] = {0x55, 0x48, 0x89, 0xe5};
	uint8_t code[64] = {0};
	bt_addr_t start, end;
	size_t i = 0, n;
	int32_t large = 0;

	if (!ptrace_target_function(c->target, pc, &start, &end))
		return false;
	n = ptrace_target_read_some(c->target, start, code, sizeof(code) - 8);
	if (memcmp(code, branch_mark, sizeof(branch_mark)) == 0)
		i += sizeof(branch_mark);
	if (memcmp(code + i, make, sizeof(make)) != 0)
		return false;
	i += sizeof(make);
	*room = 0;
	for (; i < n; i++) {
		if (code[i] >= 0x50 && code[i] <= 0x57)
			*room += 8;
		else if (code[i] != 0x41 || (code[i + 1] & 0xf8) != 0x50)
			break;
	}
	if (code[i] == 0x48 && code[i + 1] == 0x83 && code[i + 2] == 0xec) {
		large = (int8_t)code[i + 3];
		i += 4;
	} else if (code[i] == 0x48 && code[i + 1] == 0x81 &&
	    code[i + 2] == 0xec) {
		memcpy(&large, code + i + 3, sizeof(large));
		i += 7;
	}
	*room += large > 0 ? (uint32_t)large : 0;
	return pc >= start + i;
}

/* A frame pointer that points neither above all that the function has made room
 * for, nor to another stack. Call frame information says whether the register
 * is one at that place. */
static bool
is_broken(const struct crash *c, ptrace_frame_t *f, uint64_t *fp, uint64_t *sp)
{
	const uint64_t saved = 16, near = 4096;
	const int32_t number = 6;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bt_addr_t pc = ptrace_frame_ip(f), cfa, at, low;
	uint64_t room;

	/* Other processors have no code that begins so. */
	if (!ptrace_frame_register(f, number, fp) ||
	    !ptrace_frame_stack_pointer(f, sp) || !ptrace_frame_cfa(f, &cfa) ||
	    cfa != *fp + saved || !frame_room(c, pc, &room))
		return false;
	if (!ptrace_target_mapping(c->target, *fp, &m))
		return true;
	at = *fp;
	low = *sp;
	return at < low + room && at + near > low;
}

/*
 * An array was written past its end, by a little or by much, up to the frame
 * pointer that its function had saved. It came back with the return, and all
 * variables of the caller seem to lie elsewhere.
 */
static void
judge_frame_pointer(const struct crash *c)
{
	enum { NEAR = 4 };
	uint32_t first = c->frame != NULL ? ptrace_frame_index(c->frame) : 0;
	uint64_t fp, sp;

	for (uint32_t i = first; i < first + NEAR; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);
		struct report r;

		if (f == NULL)
			return;
		if (is_broken(c, f, &fp, &sp) == false)
			continue;
		r = report_of(c, "stack-corruption", 0.96,
		    pmodule_text(c->bt,
			"the frame pointer of %s, 0x%" PRIx64
			", is not where its frame is: what a function that it "
			"called had saved of it was overwritten",
			ptrace_frame_symbol(f)[0] != '\0'
			    ? ptrace_frame_symbol(f)
			    : "a function",
			fp));
		report_note(&r,
		    pmodule_text(c->bt, "the stack pointer is 0x%" PRIx64, sp));
		report_token(&r, "stack.corrupt");
		report_publish(&r);
		return;
	}
}

static void
analyse(ptrace_backtrace_t *bt)
{
	ptrace_mapping_t stack = PTRACE_MAPPING_INIT;
	struct crash c;
	struct report r;

	if (crash_resolve(bt, &c) == false)
		return;
	if (is_without_room(&c, &stack)) {
		judge_without_room(&c, &stack);
		return;
	}
	if (is_overflow(&c, &stack) == false) {
		if (c.kind == CRASH_PAGE || c.kind == CRASH_PROTECTION)
			judge_frame_pointer(&c);
		return;
	}
	r = report_of(&c, "stack-overflow", 0.93,
	    pmodule_text(bt,
		"stack overflow: %s at 0x%" PRIx64 " below the stack of %s",
		crash_access_text(&c), c.address,
		size_text(&c, stack.end - stack.start)));
	report_token(&r, "stack.overflow");
	explain(&c, &stack, &r);
	report_note(&r,
	    pmodule_text(bt,
		"the stack is 0x%" PRIx64 "-0x%" PRIx64
		", the stack pointer 0x%" PRIx64 ", the access at 0x%" PRIx64,
		stack.start, stack.end, c.sp, c.address));
	note_limit(&c, &stack, &r);
	report_publish(&r);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("stack", load, NULL, NULL)

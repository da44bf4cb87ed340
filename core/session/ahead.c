/* SPDX-License-Identifier: MIT */
/*
 * What will surely be needed is begun at once. Where threads stand is known
 * before any stack is: the debug information of that code is opened, and the
 * second thread inflates it from the first moment on. Meanwhile the first
 * stacks are unwound, in the order in which they will be asked for, and kept
 * until they are: that needs no debug information, and takes about as long.
 *
 * A core that is not in the page cache is waited for, page by page, so the
 * innermost part of each stack is asked for before any of them is read.
 */
#include <sys/resource.h>

#include "session/session_private.h"

enum {
	AHEAD_THREADS = 64,
	AHEAD_STACK = 16 << 10, /* bytes; the unwinder asks for more */
	/* Of one stack; what is deeper can wait. */
	AHEAD_DEPTH = 256,
	/* Of all of them together, about: which takes as long as inflating a
	 * megabyte. */
	AHEAD_FRAMES = 2048
};

struct ahead_stack {
	const struct target_thread *thread; /* NULL: it was taken */
	struct unwind_stack stack;
};

/* Where the thread stands, and in what; NULL: in no module. */
static struct target_module *
top_of(struct session *s, const struct target_thread *t, uint64_t *pc)
{
	if (t->has_regs == false ||
	    regs_get(&t->regs.regs, ARCH_PC, pc) == false)
		return NULL;
	return target_module_at(s->target, *pc);
}

/* False: nothing is inflated meanwhile. */
static bool
expect_debug(struct session *s, uint32_t n)
{
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t pc;
		struct target_module *m = top_of(s, s->threads[i], &pc);
		struct dwarf *dwarf = m != NULL ? session_dwarf(s, m) : NULL;

		if (dwarf != NULL && dwarf_expect(dwarf, pc - m->bias, false))
			any = true;
	}
	return any;
}

/* Only whole stacks are kept. What is damaged or endless must not cost the
 * faulting thread, which comes first, its time. */
static void
unwind_first(struct session *s, uint32_t n)
{
	size_t frames = 0;

	for (uint32_t i = 0; i < n && frames < AHEAD_FRAMES; i++) {
		struct ahead_stack *a = &s->ahead[i];

		unwind_stack_init(&a->stack, SESSION_FRAMES_MAX);
		s->n_ahead++;
		if (unwind_innermost(
			s->unwinder, s->threads[i], AHEAD_DEPTH, &a->stack) &&
		    s->budget.spent == false)
			a->thread = s->threads[i];
		frames += a->stack.frames.count;
	}
}

/* Something we have read so far was not in the page cache. */
static bool
waited_for_disk(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) != 0 || usage.ru_majflt != 0;
}

void
ahead_stacks(struct session *s, uint32_t from)
{
	uint32_t n = s->n_threads - from;

	/* Of thousands of threads it would be a hundredth of the time. */
	if (from % AHEAD_THREADS != 0 || (from != 0 && !waited_for_disk()))
		return;
	for (uint32_t i = 0; i < n && i < AHEAD_THREADS; i++) {
		const struct target_thread *t = s->threads[from + i];
		uint64_t sp;

		if (t->has_regs && regs_get(&t->regs.regs, ARCH_SP, &sp))
			target_expect(s->target, sp, AHEAD_STACK);
	}
}

void
ahead_begin(struct session *s)
{
	uint32_t n = s->n_threads < AHEAD_THREADS ? s->n_threads
						  : AHEAD_THREADS;

	ahead_stacks(s, 0);
	/* With one processor there is no meanwhile. */
	if (s->prefetch == NULL || expect_debug(s, n) == false)
		return;
	s->ahead = arena_array(&s->scratch, n, sizeof(*s->ahead));
	if (s->ahead != NULL)
		unwind_first(s, n);
}

bool
ahead_take(struct session *s, const struct target_thread *t)
{
	for (uint32_t i = 0; i < s->n_ahead; i++) {
		struct ahead_stack *a = &s->ahead[i];
		struct unwind_stack before = s->stack;

		if (a->thread != t)
			continue;
		a->thread = NULL;
		s->stack = a->stack;
		a->stack = before;
		return true;
	}
	return false;
}

void
ahead_deinit(struct session *s)
{
	for (uint32_t i = 0; i < s->n_ahead; i++)
		unwind_stack_deinit(&s->ahead[i].stack);
	s->n_ahead = 0;
}

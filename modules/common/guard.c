/* SPDX-License-Identifier: MIT */
/*
 * Compilers put arrays next to the guard and everything else below them, so
 * that an overflow meets the guard first. The array just below it is what
 * overflowed, or what an overflow of the next one ran through.
 */
#include <string.h>

#include "guard.h"

enum { FRAMES_MAX = 256, VARIABLES_MAX = 1024, MEMBERS_MAX = 64 };

static bool
is_array(const ptrace_variable_info_t *info)
{
	const char *type = info->type != NULL ? info->type : "";
	size_t n = strlen(type);

	/* "char [16]", but not "int (*)[4]" */
	return info->kind == PTRACE_VARIABLE_ARRAY ||
	    (n > 0 && type[n - 1] == ']' && strchr(type, '(') == NULL);
}

struct nearest {
	bt_addr_t guard, address;
	const char *owner, *name;
};

static void
look(struct nearest *best, const ptrace_variable_t *v, const char *owner)
{
	ptrace_variable_info_t info = PTRACE_VARIABLE_INFO_INIT;

	if (v == NULL || !ptrace_variable_info(v, &info))
		return;
	if (owner == NULL && info.kind == PTRACE_VARIABLE_STRUCT)
		for (uint32_t i = 0; i < info.n_children && i < MEMBERS_MAX;
		     i++)
			look(best, ptrace_variable_child(v, i), info.name);
	if (!is_array(&info) || !info.has_address ||
	    info.address >= best->guard || info.address < best->address)
		return;
	best->address = info.address;
	best->owner = owner;
	best->name = info.name;
}

/* Frames that are one physical frame: functions inlined into each other. */
static bool
is_same(const ptrace_frame_t *a, const ptrace_frame_t *b)
{
	uint64_t x, y;

	return b != NULL && ptrace_frame_ip(a) == ptrace_frame_ip(b) &&
	    ptrace_frame_stack_pointer(a, &x) &&
	    ptrace_frame_stack_pointer(b, &y) && x == y;
}

const char *
guard_array(ptrace_frame_t *f, bt_addr_t guard)
{
	ptrace_thread_t *t = ptrace_frame_thread(f);
	struct nearest best = {.guard = guard};
	uint32_t first = ptrace_frame_index(f);
	uint64_t sp;

	if (!ptrace_frame_stack_pointer(f, &sp))
		return NULL;
	best.address = sp; /* not of other frames, nor static */
	while (first > 0 && is_same(f, ptrace_thread_frame(t, first - 1)))
		first--;
	for (uint32_t i = first;; i++) {
		ptrace_frame_t *at = ptrace_thread_frame(t, i);
		uint32_t n;

		if (at == NULL || !is_same(f, at))
			break;
		n = ptrace_frame_n_variables(at);
		for (uint32_t k = 0; k < n && k < VARIABLES_MAX; k++)
			look(&best, ptrace_frame_variable(at, k), NULL);
	}
	if (best.name == NULL || best.owner == NULL)
		return best.name;
	return pmodule_text(
	    ptrace_thread_backtrace(t), "%s.%s", best.owner, best.name);
}

/* Another frame has the same word: it is the guard of other times (a stack
 * that was switched to, a thread pointer that was changed). */
static bool
is_elsewhere(ptrace_thread_t *t, const struct guard_damage *d)
{
	uint32_t n = ptrace_thread_n_frames(t);

	for (uint32_t i = 0; i < n && i < FRAMES_MAX; i++) {
		ptrace_guard_t guard = PTRACE_GUARD_INIT;
		ptrace_frame_t *f = ptrace_thread_frame(t, i);

		if (f != NULL && ptrace_frame_guard(f, &guard) &&
		    guard.address != d->guard.address &&
		    guard.found == d->guard.found)
			return true;
	}
	return false;
}

/* glibc makes the guard of the first random word that the kernel gave, but for
 * the lowest byte. A guard word that still is that was not overwritten; what
 * was is the copy in the thread's control block, with which it is compared. */
static bool
is_seed(ptrace_thread_t *thread, uint64_t found)
{
	const uint64_t at_random = 25, lowest = 0xff;
	ptrace_target_t *t = ptrace_backtrace_target(
	    ptrace_thread_backtrace(thread));
	uint64_t where, word;

	return ptrace_target_auxv(t, at_random, &where) &&
	    ptrace_target_read(t, where, &word, sizeof(word), NULL) &&
	    (word & ~lowest) == found && found != 0;
}

bool
guard_damaged(ptrace_thread_t *thread, struct guard_damage *out)
{
	uint32_t n = ptrace_thread_n_frames(thread);

	/* What overwrote a guard may have gone on to the return address: the
	 * frames behind it are no longer certain. */
	for (uint32_t i = 0; i < n && i < FRAMES_MAX; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(thread, i);

		*out = (struct guard_damage){.guard = PTRACE_GUARD_INIT};
		if (f == NULL || !ptrace_frame_guard(f, &out->guard) ||
		    out->guard.found == out->guard.expected)
			continue;
		out->frame = f;
		/* Before the run-time set it up there is none. */
		return out->guard.expected != 0 && !is_elsewhere(thread, out) &&
		    !is_seed(thread, out->guard.found);
	}
	return false;
}

void
guard_note(struct report *r)
{
	ptrace_guard_t guard = PTRACE_GUARD_INIT;
	ptrace_frame_t *f = r->frame != NULL && r->thread != NULL
	    ? ptrace_thread_frame(r->thread, ptrace_frame_index(r->frame))
	    : NULL;
	const char *array;

	if (f == NULL || !ptrace_frame_guard(f, &guard) ||
	    guard.found == guard.expected)
		return;
	report_note(r,
	    pmodule_text(r->bt,
		"the guard word at 0x%" PRIx64 " is 0x%" PRIx64
		", expected 0x%" PRIx64,
		guard.address, guard.found, guard.expected));
	array = guard_array(f, guard.address);
	if (array != NULL)
		report_note(r,
		    pmodule_text(
			r->bt, "%s lies just below the guard word", array));
}

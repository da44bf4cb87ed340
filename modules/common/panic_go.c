/* SPDX-License-Identifier: MIT */
/*
 * What a Go program said when it ended.
 *
 * A goroutine that panics hangs its panics into a list; before the run-time
 * prints them it turns errors and everything that has a text into strings.
 * Fatal errors are printed at once, but the run-time keeps the last 512 bytes
 * that it printed for readers of cores (runtime/print.go, printBacklog).
 * Layouts: struct g begins with its stack (two words), two guards, and the
 * innermost panic; struct _panic has its argument, an empty interface, behind
 * one word; a type's kind is its byte 23 (since Go 1.4, up to 1.24).
 */
#include <inttypes.h>
#include <string.h>

#include "panic.h"

enum {
	GOROUTINES_MAX = 100000,
	FRAMES_MAX = 64,
	BACKLOG = 512,
	KIND_OFFSET = 23,
	KIND_MASK = 31,
	KIND_INT = 2,
	KIND_INT64 = 6,
	KIND_STRING = 24
};

/* Begins with what all versions have in common. */
struct goroutine {
	uint64_t low, high, guards[2], panics;
};

static bool
named(ptrace_target_t *t, const char *name, bt_addr_t *address)
{

	return ptrace_target_symbol_named(t, NULL, name, address, NULL);
}

static const char *
argument(ptrace_backtrace_t *bt, uint64_t panic)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t value[2], words[2];
	uint8_t kind;

	if (!ptrace_target_read(t, panic + 8, value, sizeof(value), NULL) ||
	    !ptrace_target_read(t, value[0] + KIND_OFFSET, &kind, 1, NULL))
		return NULL;
	kind &= KIND_MASK;
	if (kind == KIND_STRING &&
	    ptrace_target_read(t, value[1], words, sizeof(words), NULL))
		return panic_text(bt, words[0], words[1]);
	if ((kind == KIND_INT || kind == KIND_INT64) &&
	    ptrace_target_read(t, value[1], words, sizeof(*words), NULL))
		return pmodule_text(bt, "%" PRId64, (int64_t)words[0]);
	return NULL;
}

/* A stack pointer among the thread's frames lies in the goroutine's stack. */
static bool
runs_on(ptrace_thread_t *thread, const struct goroutine *g)
{
	uint32_t n = ptrace_thread_n_frames(thread);
	uint64_t sp;

	for (uint32_t i = 0; i < n && i < FRAMES_MAX; i++) {
		const ptrace_frame_t *f = ptrace_thread_frame(thread, i);

		if (f != NULL && ptrace_frame_stack_pointer(f, &sp) &&
		    sp >= g->low && sp < g->high)
			return true;
	}
	return false;
}

static const char *
panic_message(ptrace_thread_t *thread)
{
	ptrace_backtrace_t *bt = ptrace_thread_backtrace(thread);
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t all[2], list[512];
	bt_addr_t address;
	size_t got = 0;

	if (!named(t, "runtime.allgs", &address) ||
	    !ptrace_target_read(t, address, all, sizeof(all), NULL))
		return NULL;
	for (uint64_t i = 0; i < all[1] && i < GOROUTINES_MAX; i++) {
		const size_t room = sizeof(list) / sizeof(*list);
		struct goroutine g;

		if (i % room == 0)
			got = ptrace_target_read_some(
				  t, all[0] + i * 8, list, sizeof(list)) /
			    8;
		if (i % room >= got)
			return NULL;
		if (ptrace_target_read(
			t, list[i % room], &g, sizeof(g), NULL) &&
		    g.panics != 0 && runs_on(thread, &g))
			return argument(bt, g.panics);
	}
	return NULL;
}

/* The last line with a fatal error in what the run-time printed. */
static const char *
fatal_message(ptrace_backtrace_t *bt)
{
	static const char mark[] = "fatal error: ";
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	char ring[BACKLOG], text[BACKLOG + 1];
	const char *found = NULL, *end;
	bt_addr_t buffer, at;
	uint64_t index, size;

	if (!ptrace_target_symbol_named(
		t, NULL, "runtime.printBacklog", &buffer, &size) ||
	    size != sizeof(ring) ||
	    !named(t, "runtime.printBacklogIndex", &at) ||
	    !ptrace_target_read(t, buffer, ring, sizeof(ring), NULL) ||
	    !ptrace_target_read(t, at, &index, sizeof(index), NULL) ||
	    index > sizeof(ring))
		return NULL;
	for (size_t i = 0; i < sizeof(ring); i++) {
		text[i] = ring[(index + i) % sizeof(ring)];
		if (text[i] == '\0')
			text[i] = '\n'; /* not yet written to */
	}
	text[sizeof(ring)] = '\0';
	for (const char *p = text; (p = strstr(p, mark)) != NULL; p++)
		found = p + sizeof(mark) - 1;
	if (found == NULL)
		return NULL;
	end = strchr(found, '\n');
	if (end == NULL || end == found)
		return NULL;
	return pmodule_text(bt, "%.*s", (int)(end - found), found);
}

void
panic_of_go(ptrace_thread_t *thread, struct panic *out)
{

	out->message = panic_message(thread);
	if (out->message == NULL)
		out->message = fatal_message(ptrace_thread_backtrace(thread));
}

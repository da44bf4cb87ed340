/* SPDX-License-Identifier: MIT */
/*
 * What a Rust program said when it panicked, from its stack alone.
 *
 * On the way to the abort the run-time builds a struct that holds, next to
 * each other, the payload as a trait object (pointer to the data, pointer to
 * its table) and a reference to the place in the source. The compiler may
 * change the order of members from one version to the next, so the words are
 * known by what they point to:
 *
 *	table:	   code or 0, size of the data, its alignment, code ...
 *	data:	   &str (pointer, length), of size 16; or String (pointer,
 *		   capacity and length, in some order), of size 24
 *	location:  file name (pointer, length), line and column of 32 bits each
 */
#include <inttypes.h>
#include <string.h>

#include "blame.h"
#include "panic.h"

enum {
	SIZE_STR = 16,
	SIZE_STRING = 24,
	WORDS_MAX = 2048,
	NEAR = 5, /* words between the payload and the location */
	LINE_MAX = 10 * 1000 * 1000,
	COLUMN_MAX = 100 * 1000,
	NAME_MAX_BYTES = 1024
};

struct stack {
	ptrace_backtrace_t *bt;
	ptrace_target_t *target;
	uint64_t words[WORDS_MAX];
	size_t n;
};

/* Tables and places in the source are part of the program's file. */
static bool
is_module_data(const struct stack *s, uint64_t at)
{
	ptrace_module_t m = PTRACE_MODULE_INIT;

	return at % 8 == 0 && ptrace_target_module_at(s->target, at, &m);
}

static const char *
read_location(const struct stack *s, uint64_t at)
{
	struct {
		uint64_t file, length;
		uint32_t line, column;
	} l;
	const char *name;

	if (!is_module_data(s, at) ||
	    !ptrace_target_read(s->target, at, &l, sizeof(l), NULL) ||
	    l.length < 4 || l.length > NAME_MAX_BYTES || l.line == 0 ||
	    l.line > LINE_MAX || l.column == 0 || l.column > COLUMN_MAX)
		return NULL;
	name = panic_text(s->bt, l.file, l.length);
	if (name == NULL || strlen(name) != l.length ||
	    strcmp(name + l.length - 3, ".rs") != 0)
		return NULL;
	return pmodule_text(
	    s->bt, "%s:%" PRIu32 ":%" PRIu32, name, l.line, l.column);
}

static const char *
read_string(const struct stack *s, const uint64_t words[3])
{
	/* (pointer, capacity, length) up to Rust 1.76, later (capacity,
	 * pointer, length). No capacity is as large as an address. */
	if (words[2] <= words[1] && words[1] < words[0])
		return panic_text(s->bt, words[0], words[2]);
	if (words[2] <= words[0] && words[0] < words[1])
		return panic_text(s->bt, words[1], words[2]);
	return NULL;
}

static const char *
read_payload(const struct stack *s, uint64_t data, uint64_t table)
{
	uint64_t head[3], words[3] = {0};

	if (!is_module_data(s, table) ||
	    !ptrace_target_read(s->target, table, head, sizeof(head), NULL) ||
	    (head[1] != SIZE_STR && head[1] != SIZE_STRING) || head[2] != 8 ||
	    data % 8 != 0 ||
	    !ptrace_target_read(s->target, data, words, (size_t)head[1], NULL))
		return NULL;
	return head[1] == SIZE_STR ? panic_text(s->bt, words[0], words[1])
				   : read_string(s, words);
}

static const char *
location_near(const struct stack *s, size_t at)
{
	size_t first = at > NEAR ? at - NEAR : 0;

	for (size_t i = first; i < s->n && i <= at + NEAR; i++) {
		const char *l = read_location(s, s->words[i]);

		if (l != NULL)
			return l;
	}
	return NULL;
}

static void
search(const struct stack *s, struct panic *out)
{
	const char *message, *location;

	for (size_t i = 0; i + 1 < s->n; i++) {
		message = read_payload(s, s->words[i], s->words[i + 1]);
		location = message != NULL ? location_near(s, i) : NULL;
		if (location != NULL) {
			out->message = message;
			out->location = location;
			return;
		}
	}
	/* A hook of the program's own may never have asked for the text. */
	for (size_t i = 0; i < s->n && out->location == NULL; i++)
		out->location = read_location(s, s->words[i]);
}

void
panic_of_rust(
    ptrace_thread_t *thread, const ptrace_frame_t *first, struct panic *out)
{
	ptrace_backtrace_t *bt = ptrace_thread_backtrace(thread);
	struct stack s = {.bt = bt, .target = ptrace_backtrace_target(bt)};
	ptrace_frame_t *caller = blame_frame(
	    thread, ptrace_thread_frame(thread, ptrace_frame_index(first)));
	uint64_t low, high;

	if (caller == NULL || !ptrace_frame_stack_pointer(first, &low) ||
	    !ptrace_frame_stack_pointer(caller, &high) || high <= low)
		return;
	if (high - low > sizeof(s.words))
		high = low + sizeof(s.words);
	s.n = ptrace_target_read_some(
		  s.target, low, s.words, (size_t)(high - low)) /
	    8;
	search(&s, out);
}

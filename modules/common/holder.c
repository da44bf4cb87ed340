/* SPDX-License-Identifier: MIT */
/*
 * Variables that point to a block. Of several of one kind the first is named:
 * who looks for the culprit needs a name to begin with, not a list.
 */
#include "holder.h"

#include <string.h>

#include "blame.h"
#include "damage.h"

enum {
	FRAMES = 64,	 /* of a thread */
	VARIABLES = 256, /* of a frame */
	THREADS = 256,
	LOOKS = 20000,	      /* at variables of other threads */
	DATA_BYTES = 16 << 20 /* of a module */
};

static bool
holds(const ptrace_variable_t *v, const ptrace_heap_block_t *b,
    ptrace_variable_info_t *info)
{

	*info = (ptrace_variable_info_t)PTRACE_VARIABLE_INFO_INIT;
	return v != NULL && ptrace_variable_info(v, info) &&
	    info->kind == PTRACE_VARIABLE_POINTER && info->has_value &&
	    info->value == b->start;
}

/* The first frame and its variable. looks: how many more may be looked at. */
static ptrace_frame_t *
find_in_frames(ptrace_thread_t *thread, const ptrace_heap_block_t *b,
    uint32_t *looks, ptrace_variable_info_t *info)
{
	uint32_t n = thread != NULL ? ptrace_thread_n_frames(thread) : 0;

	for (uint32_t i = 0; i < n && i < FRAMES; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(thread, i);
		uint32_t count = f != NULL && !blame_is_machinery(f)
		    ? ptrace_frame_n_variables(f)
		    : 0;

		for (uint32_t k = 0; k < count && k < VARIABLES; k++) {
			if (*looks == 0)
				return NULL;
			--*looks;
			if (holds(ptrace_frame_variable(f, k), b, info))
				return f;
		}
	}
	return NULL;
}

static bool
note_own(ptrace_backtrace_t *bt, ptrace_thread_t *thread,
    const ptrace_heap_block_t *b, struct report *r)
{
	ptrace_variable_info_t info;
	uint32_t looks = FRAMES * VARIABLES;
	ptrace_frame_t *f = find_in_frames(thread, b, &looks, &info);

	if (f == NULL)
		return false;
	report_note(r,
	    pmodule_text(bt, "%s (%s) of %s points to it", info.name, info.type,
		ptrace_frame_symbol(f)));
	report_note(r, damage_too_small(bt, f, &info, b));
	return true;
}

/* Others who still use a block that one has freed: a race. */
static bool
note_other(ptrace_backtrace_t *bt, ptrace_thread_t *thread,
    const ptrace_heap_block_t *b, struct report *r)
{
	uint32_t n = ptrace_backtrace_n_threads(bt), looks = LOOKS;

	for (uint32_t i = 0; i < n && i < THREADS && looks != 0; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(bt, i);
		ptrace_variable_info_t info;
		ptrace_frame_t *f;

		if (t == thread)
			continue;
		f = find_in_frames(t, b, &looks, &info);
		if (f == NULL)
			continue;
		report_note(r,
		    pmodule_text(bt, "%s (%s) of %s in thread %u points to it",
			info.name, info.type, ptrace_frame_symbol(f),
			ptrace_thread_tid(t)));
		return true;
	}
	return false;
}

/* The C library and allocators: what they keep of a block is no use of it. */
static bool
is_keeper(const ptrace_module_t *m)
{
	static const char *const names[] = {"libc", "ld-linux-x86-64", "ld",
	    "ld-musl-x86_64", "libjemalloc", "libtcmalloc",
	    "libtcmalloc_minimal"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (blame_object_is(m->name, names[i]))
			return true;
	return false;
}

static bool
note_static(
    ptrace_backtrace_t *bt, const ptrace_heap_block_t *b, struct report *r)
{
	const uint32_t data = PTRACE_PERM_READ | PTRACE_PERM_WRITE;
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	for (bt_addr_t at = 0; ptrace_target_mapping_next(t, at, &m);
	     at = m.end) {
		ptrace_module_t module = PTRACE_MODULE_INIT;
		bt_addr_t end = m.end, found, start;
		const char *name;
		uint64_t value;

		if (m.permissions != data ||
		    !ptrace_target_module_at(t, m.start, &module) ||
		    is_keeper(&module))
			continue;
		if (end - m.start > DATA_BYTES)
			end = m.start + DATA_BYTES;
		if (!ptrace_target_find_word(
			t, m.start, end, b->start, b->start, &found, &value))
			continue;
		/* Of a static program, an allocator's own data. */
		name = ptrace_target_symbol(t, found, &start);
		if (name == NULL || strcmp(name, "main_arena") == 0)
			continue;
		report_note(r,
		    found == start ? pmodule_text(bt, "%s of %s points to it",
					 name, module.name)
				   : pmodule_text(bt,
					 "%s+0x%" PRIx64 " of %s points to it",
					 name, found - start, module.name));
		return true;
	}
	return false;
}

void
holder_note(ptrace_backtrace_t *bt, ptrace_thread_t *thread,
    const ptrace_heap_block_t *b, struct report *r)
{

	(void)note_own(bt, thread, b, r);
	(void)note_static(bt, b, r);
	(void)note_other(bt, thread, b, r);
	if (b->owner != NULL)
		report_note(r,
		    pmodule_text(
			bt, "it belongs to %s: %s", b->allocator, b->owner));
}

/* SPDX-License-Identifier: MIT */
/*
 * A core and its executable, through the whole of a session: notes, segments,
 * stacks of all threads, variables, modules of analysis, heaps; then the
 * snapshot written and read. The input is the length of the executable (4
 * bytes), the executable, the core. No other file of this machine is seen.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/compose.h"
#include "damage.h"
#include "formats/btt.h"
#include "formats/json.h"
#include "formats/text.h"
#include "session_of.h"

static void
split(struct view all, struct view *exe, struct view *core)
{
	uint64_t size = view_u32(&all);

	if (size > view_left(&all))
		size = view_left(&all);
	*exe = view_sub(&all, all.pos, size);
	*core = view_from(&all, all.pos + size);
}

/* Written as the worker writes it, section by section. */
static void
show(const struct snapshot *s)
{
	struct text_options o = {.variables = true, .details = true};
	struct btt_writer *w = btt_writer_create(s);
	struct snapshot again;
	struct buf out;
	bool ok;

	buf_init(&out, 64 << 20);
	if (w != NULL) {
		ok = btt_write_header(w, &out, NULL);
		for (int i = 0; ok && i < BTT_SECTION__COUNT; i++)
			ok = btt_write_section(
			    w, (enum btt_section)i, &out, NULL);
		btt_writer_destroy(w);
		if (ok && !out.failed && snapshot_init(&again, 64 << 20)) {
			if (!btt_read(out.data, out.size, &again, NULL))
				abort();
			snapshot_deinit(&again);
		}
	}
	buf_clear(&out);
	json_write(s, true, &out);
	if (!out.failed && !json_valid((const char *)out.data, out.size - 1))
		abort();
	buf_clear(&out);
	text_report(s, &o, &out);
	fuzz_use(out.data, out.size);
	buf_deinit(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const globals[] = {"head", "*", NULL};
	struct session_options options = {.variables = true,
	    .memory = true,
	    .modules = true,
	    .globals = globals};
	struct view exe, core;

	split(view_of(data, size), &exe, &core);
	compose_modules(&options);
	fuzz_session(&options, exe, core, show);
	return 0;
}

/* Three times of four the core, and what it is made of. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	uint64_t state = seed;
	struct view exe, core;
	size_t head, changed;

	split(view_of(data, size), &exe, &core);
	head = size - core.size;
	if (damage_below(&state, 4) != 0 && core.size > 64) {
		changed = damage_core_random(
		    data + head, core.size, &state, NULL);
		return head + changed;
	}
	if (damage_below(&state, 4) == 0 && core.size > 0)
		return head +
		    LLVMFuzzerMutate(data + head, core.size, max - head);
	/* Of the executable the length stays, or the core would move. */
	if (exe.size > 64) {
		size_t at = (size_t)damage_below(&state, exe.size - 32);

		(void)LLVMFuzzerMutate(data + 4 + at, 32, 32);
	}
	return size;
}

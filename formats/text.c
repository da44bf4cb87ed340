/* SPDX-License-Identifier: MIT */
/* The report: verdict, evidence, threads, globals, details, warnings. */
#include "formats/text_out.h"

/* ---- globals and warnings ---- */

static void
put_globals(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (!t->o->variables || s->globals.count == 0)
		return;
	text_end(t);
	text_styled(t, TEXT_STRONG, "Globals:");
	text_end(t);
	for (size_t i = 0; i < s->globals.count; i++)
		text_list_variable(t, &s->globals.items[i], 2);
}

static void
put_warnings(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (s->warnings.count == 0 && s->warnings_lost == 0)
		return;
	text_end(t);
	text_on(t, TEXT_STRONG);
	text_say(t, "Warnings (%zu):", s->warnings.count);
	text_off(t);
	text_end(t);
	for (size_t i = 0; i < s->warnings.count; i++) {
		const struct snap_warning *w = &s->warnings.items[i];

		text_say(t, "  ");
		text_put(t, w->stage);
		text_say(t, ": ");
		text_put(t, w->text);
		text_on(t, TEXT_DIM);
		text_say(t, " [");
		text_put(t, w->code);
		text_say(t, "]");
		text_off(t);
		text_end(t);
	}
	if (s->warnings_lost != 0) {
		text_say(t, "  and %llu entries that found no room",
		    (unsigned long long)s->warnings_lost);
		text_end(t);
	}
}

void
text_report(
    const struct snapshot *s, const struct text_options *o, struct buf *out)
{
	struct text_out t = {s, o, out, out->size};

	text_evidence(&t, text_verdict(&t));
	text_threads(&t);
	put_globals(&t);
	if (o->details)
		text_details(&t);
	put_warnings(&t);
}

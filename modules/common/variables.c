/* SPDX-License-Identifier: MIT */
/*
 * A value in a register is tied to the variable that has the same value. With
 * null many variables may have it; then none is named: a wrong name sends
 * people looking in the wrong place.
 */
#include <string.h>

#include "blame.h"
#include "variables.h"

enum { VARIABLES_MAX = 4096 };

struct search {
	uint64_t value;
	const ptrace_variable_t *found;
	ptrace_variable_info_t info;
	ptrace_frame_t *frame;
	unsigned matches;
};

static void
search_frame(struct search *s, ptrace_frame_t *f)
{
	uint32_t n = ptrace_frame_n_variables(f);

	for (uint32_t i = 0; i < n && i < VARIABLES_MAX; i++) {
		const ptrace_variable_t *v = ptrace_frame_variable(f, i);
		ptrace_variable_info_t info = PTRACE_VARIABLE_INFO_INIT;

		if (ptrace_variable_info(v, &info) == false ||
		    info.kind != PTRACE_VARIABLE_POINTER ||
		    info.has_value == false || info.value != s->value)
			continue;
		/* The same name again: an inlined copy of the parameter. */
		if (s->matches > 0 && strcmp(info.name, s->info.name) == 0)
			continue;
		s->matches++;
		s->found = v;
		s->info = info;
		s->frame = f;
	}
}

bool
variables_with_value(
    const struct crash *c, uint64_t value, struct variable_match *out)
{
	struct search s = {.value = value};
	uint32_t first, n;

	if (c->frame == NULL)
		return false;
	/* A library function got it from its caller. */
	first = ptrace_frame_index(blame_frame(c->thread, c->frame));
	n = ptrace_thread_n_frames(c->thread);
	/* Inlined functions come before the one that holds them. */
	for (uint32_t i = first; i < n; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);

		if (f == NULL)
			break;
		search_frame(&s, f);
		if (ptrace_frame_inline(f) == false)
			break;
	}
	if (s.matches != 1)
		return false;
	out->variable = s.found;
	out->name = s.info.name;
	out->frame = s.frame;
	out->text = pmodule_text(c->bt, "%s (%s)", s.info.name, s.info.type);
	out->evidence = pmodule_text(c->bt, "%s of %s is 0x%" PRIx64,
	    s.info.name, ptrace_frame_symbol(s.frame), s.info.value);
	return true;
}

const char *
variables_member(const struct crash *c, const struct variable_match *m)
{
	const ptrace_operand_t *o = c->operand;
	char member[256];

	/* With an index the offset is within an array, and in a library's
	 * frame the access is not the caller's expression. */
	if (o == NULL || o->base_known == false || o->scale != 0 ||
	    o->displacement < 0 || m->frame == NULL ||
	    ptrace_frame_index(m->frame) < ptrace_frame_index(c->frame) ||
	    ptrace_frame_ip(m->frame) != c->pc ||
	    !ptrace_frame_member(m->frame, m->name, (uint64_t)o->displacement,
		member, sizeof(member)))
		return NULL;
	return pmodule_text(c->bt, "%s->%s", m->name, member);
}

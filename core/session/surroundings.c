/* SPDX-License-Identifier: MIT */
/*
 * What a process has besides memory: its environment, and while it lives its
 * limits and the files it has open. All of it is bounded, and what is secret by
 * its name is not kept (secrets.c).
 */
#include "session/session_private.h"

enum {
	VARIABLES_MAX = 1024,	  /* of the environment */
	VALUE_MAX = 1024,	  /* bytes, as of other texts */
	ENVIRONMENT_MAX = 1 << 17 /* names and values together */
};

/* The strings between them; the rest is left out and named. */
static void
warn_cut(struct session *s, size_t left)
{
	snapshot_warn(s->snapshot, "collect", "environment.cut",
	    "%zu bytes of the environment are not kept", left);
}

/* "NAME=VALUE"; a string without a name is none. */
static bool
add_variable(struct session *s, const char *text, size_t size)
{
	const char *equals = memchr(text, '=', size);
	struct snap_environment *v;
	const char *clean;
	size_t name, value;

	if (equals == NULL || equals == text)
		return true;
	v = vec_push(&s->snapshot->environment);
	if (v == NULL)
		return false;
	name = (size_t)(equals - text);
	value = size - name - 1;
	v->name = snapshot_stringn(s->snapshot, text, name);
	clean = session_environment_value(s, text, name, value);
	if (clean != NULL)
		value = strlen(clean);
	v->truncated = value > VALUE_MAX;
	v->length = value;
	v->value = snapshot_stringn(s->snapshot,
	    clean != NULL ? clean : equals + 1,
	    v->truncated ? VALUE_MAX : value);
	return true;
}

static void
collect_environment(struct session *s)
{
	struct view from = target_environment(s->target);
	size_t at = 0;

	/* A program that shows its state in its title has overwritten them, and
	 * leaves zeros. */
	while (at < from.size) {
		const char *text = (const char *)from.data + at;
		size_t size = strnlen(text, from.size - at);

		if (s->snapshot->environment.count == VARIABLES_MAX ||
		    at + size > ENVIRONMENT_MAX ||
		    !add_variable(s, text, size)) {
			warn_cut(s, from.size - at);
			return;
		}
		at += size + 1;
	}
}

static void
collect_limits(struct session *s)
{
	const struct target_limit *from;
	size_t n = target_limits(s->target, &from);

	for (size_t i = 0; i < n; i++) {
		struct snap_limit *to = vec_push(&s->snapshot->limits);

		if (to == NULL)
			return;
		to->name = snapshot_string(s->snapshot, from[i].name);
		to->unit = snapshot_string(s->snapshot, from[i].unit);
		to->soft = from[i].soft == TARGET_UNLIMITED ? SNAP_UNLIMITED
							    : from[i].soft;
		to->hard = from[i].hard == TARGET_UNLIMITED ? SNAP_UNLIMITED
							    : from[i].hard;
	}
}

static void
collect_descriptors(struct session *s)
{
	const struct target_descriptor *from;
	size_t n = target_descriptors(s->target, &from);

	for (size_t i = 0; i < n; i++) {
		struct snap_descriptor *to = vec_push(
		    &s->snapshot->descriptors);

		if (to == NULL)
			return;
		to->number = from[i].number;
		to->path = snapshot_string(s->snapshot, from[i].path);
	}
}

void
collect_surroundings(struct session *s)
{

	collect_environment(s);
	collect_limits(s);
	collect_descriptors(s);
}

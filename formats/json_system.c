/* SPDX-License-Identifier: MIT */
/* The JSON document: environment, limits, open files. */
#include "formats/json_out.h"

static void
write_environment(struct json_out *j, const struct snapshot *s)
{

	json_key(j, "environment");
	json_open(j, '[');
	for (size_t i = 0; i < s->environment.count; i++) {
		const struct snap_environment *v = &s->environment.items[i];

		json_open(j, '{');
		json_key(j, "name");
		json_text(j, v->name);
		json_key(j, "value");
		json_text(j, v->value);
		if (v->truncated) {
			json_key(j, "length");
			json_u64(j, v->length);
			json_key(j, "truncated");
			json_bool(j, true);
		}
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void
write_bound(struct json_out *j, const char *key, uint64_t value)
{

	json_key(j, key);
	if (value == SNAP_UNLIMITED)
		json_null(j);
	else
		json_u64(j, value);
}

static void
write_limits(struct json_out *j, const struct snapshot *s)
{

	json_key(j, "limits");
	json_open(j, '[');
	for (size_t i = 0; i < s->limits.count; i++) {
		const struct snap_limit *l = &s->limits.items[i];

		json_open(j, '{');
		json_key(j, "name");
		json_text(j, l->name);
		write_bound(j, "soft", l->soft);
		write_bound(j, "hard", l->hard);
		json_key(j, "unit");
		json_text_or_null(j, l->unit);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void
json_system(struct json_out *j, const struct snapshot *s)
{

	write_environment(j, s);
	write_limits(j, s);
	json_key(j, "descriptors");
	json_open(j, '[');
	for (size_t i = 0; i < s->descriptors.count; i++) {
		json_open(j, '{');
		json_key(j, "number");
		json_u64(j, s->descriptors.items[i].number);
		json_key(j, "path");
		json_text(j, s->descriptors.items[i].path);
		json_close(j, '}');
	}
	json_close(j, ']');
}

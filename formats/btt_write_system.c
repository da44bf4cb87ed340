/* SPDX-License-Identifier: MIT */
/* Of the section `process`: environment, limits, open files. */
#include "formats/btt_write.h"

static void
put_environment(const struct snapshot *s, struct buf *b)
{

	mp_array(b, s->environment.count);
	for (size_t i = 0; i < s->environment.count; i++) {
		const struct snap_environment *v = &s->environment.items[i];

		mp_array(b, v->truncated ? 3 : 2);
		mp_str(b, v->name);
		mp_str(b, v->value);
		if (v->truncated)
			mp_uint(b, v->length);
	}
}

static void
put_bound(struct buf *b, uint64_t value)
{
	if (value == SNAP_UNLIMITED)
		mp_nil(b);
	else
		mp_uint(b, value);
}

static void
put_limits(const struct snapshot *s, struct buf *b)
{

	mp_array(b, s->limits.count);
	for (size_t i = 0; i < s->limits.count; i++) {
		const struct snap_limit *l = &s->limits.items[i];

		mp_array(b, 4);
		mp_str(b, l->name);
		mp_str(b, l->unit);
		put_bound(b, l->soft);
		put_bound(b, l->hard);
	}
}

static void
put_descriptors(const struct snapshot *s, struct buf *b)
{

	mp_array(b, s->descriptors.count);
	for (size_t i = 0; i < s->descriptors.count; i++) {
		mp_array(b, 2);
		mp_uint(b, s->descriptors.items[i].number);
		mp_str(b, s->descriptors.items[i].path);
	}
}

void
btt_put_system(const struct snapshot *s, struct mp_table *t)
{
	if (s->environment.count > 0)
		put_environment(s, mp_table_key(t, "environment"));
	if (s->limits.count > 0)
		put_limits(s, mp_table_key(t, "limits"));
	if (s->descriptors.count > 0)
		put_descriptors(s, mp_table_key(t, "descriptors"));
}

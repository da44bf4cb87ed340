/* SPDX-License-Identifier: MIT */
/* Of the section `process`: environment, limits, open files. Rows may have
 * grown since. */
#include "formats/btt_read.h"

/* What a row has beyond what is known. */
static bool
skip_rest(struct btt_input *in, struct view *v, size_t left)
{
	for (; left > 0 && view_ok(v); left--)
		mp_skip(v);
	return in->bad == NULL && view_ok(v);
}

static bool
get_variable(struct btt_input *in, struct view *v)
{
	size_t n = mp_read_array(v);
	struct snap_environment e = {0};
	struct snap_environment *item;

	if (n < 2)
		return btt_bad(in, "an environment variable is damaged");
	e.name = btt_read_text(in, v);
	e.value = btt_read_text(in, v);
	e.truncated = n > 2;
	if (e.truncated)
		e.length = mp_read_uint(v);
	if (!skip_rest(in, v, n > 3 ? n - 3 : 0))
		return false;
	item = vec_push(&in->s->environment);
	if (item != NULL)
		*item = e;
	return item != NULL;
}

static uint64_t
get_bound(struct view *v)
{
	struct view ahead = *v;
	struct mp_value value;

	if (!mp_read(&ahead, &value) || value.type != MP_NIL)
		return mp_read_uint(v);
	*v = ahead;
	return SNAP_UNLIMITED;
}

static bool
get_limit(struct btt_input *in, struct view *v)
{
	size_t n = mp_read_array(v);
	struct snap_limit l, *item;

	if (n < 4)
		return btt_bad(in, "a limit is damaged");
	l.name = btt_read_text(in, v);
	l.unit = btt_read_text(in, v);
	l.soft = get_bound(v);
	l.hard = get_bound(v);
	if (!skip_rest(in, v, n - 4))
		return false;
	item = vec_push(&in->s->limits);
	if (item != NULL)
		*item = l;
	return item != NULL;
}

static bool
get_descriptor(struct btt_input *in, struct view *v)
{
	size_t n = mp_read_array(v);
	struct snap_descriptor d, *item;
	uint64_t number;

	if (n < 2)
		return btt_bad(in, "a descriptor is damaged");
	number = mp_read_uint(v);
	d.path = btt_read_text(in, v);
	if (!skip_rest(in, v, n - 2) || number > UINT32_MAX)
		return false;
	d.number = (uint32_t)number;
	item = vec_push(&in->s->descriptors);
	if (item != NULL)
		*item = d;
	return item != NULL;
}

static void
get_rows(struct btt_input *in, const char *key,
    bool (*row)(struct btt_input *, struct view *))
{
	struct view v = mp_field(&in->fields, key);
	size_t left = view_ok(&v) ? mp_read_array(&v) : 0;

	while (left > 0 && view_ok(&v) && row(in, &v))
		left--;
	if (mp_has(&in->fields, key) && !view_ok(&v))
		(void)btt_bad(in, "what it says of the process is damaged");
}

void
btt_get_system(struct btt_input *in)
{

	get_rows(in, "environment", get_variable);
	get_rows(in, "limits", get_limit);
	get_rows(in, "descriptors", get_descriptor);
}

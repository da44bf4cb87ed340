/* SPDX-License-Identifier: MIT */
/* Reading `process`, `analysis`, `warnings`. */
#include "formats/btt_read.h"

static void
get_attribute(struct btt_input *in, const char *key, struct view v)
{
	struct mp_value value;
	struct snapshot *s = in->s;

	if (!mp_read(&v, &value))
		return;
	switch (value.type) {
	case MP_STR:
	case MP_BIN:
		snapshot_attr_string(s, key,
		    snapshot_stringn(
			s, (const char *)value.data, (size_t)value.size));
		break;
	case MP_UINT:
		snapshot_attr_uint(s, key, value.as.u);
		break;
	case MP_INT:
		snapshot_attr_int(s, key, value.as.i);
		break;
	case MP_FLOAT:
		snapshot_attr_double(s, key, value.as.f);
		break;
	case MP_BOOL:
		snapshot_attr_bool(s, key, value.as.b);
		break;
	case MP_ARRAY: {
		uint64_t address = mp_read_uint(&v);

		if (view_ok(&v))
			snapshot_attr_address(s, key, address);
		break;
	}
	default: /* from a newer writer */
		break;
	}
}

static bool
get_attributes(struct btt_input *in)
{
	struct view v = mp_field(&in->fields, "attributes");
	size_t count;

	if (!view_ok(&v))
		return true;
	count = mp_read_map(&v);
	for (size_t i = 0; i < count && view_ok(&v); i++) {
		const char *key = btt_read_text(in, &v);

		if (in->bad != NULL)
			return false;
		get_attribute(in, key, v);
		mp_skip(&v);
	}
	return view_ok(&v);
}

/* The elements of an array of texts, one by one: *text is valid when true. */
static bool
next_text(struct btt_input *in, struct view *v, size_t *left, const char **text)
{
	if (*left == 0 || !view_ok(v))
		return false;
	--*left;
	*text = btt_read_text(in, v);
	return in->bad == NULL;
}

static uint32_t
get_index(const struct mp_fields *f, const char *key)
{
	struct view v = mp_field(f, key);
	uint64_t index = mp_read_uint(&v);

	return view_ok(&v) && index < SNAP_NONE ? (uint32_t)index : SNAP_NONE;
}

static bool
get_address(const struct mp_fields *f, uint64_t *address)
{
	struct view v = mp_field(f, "address");

	*address = mp_read_uint(&v);
	return view_ok(&v);
}

static const char *
get_known(struct btt_input *in, const struct mp_fields *f, const char *key)
{
	struct view v = mp_field(f, key);

	return view_ok(&v) ? btt_read_text(in, &v) : "";
}

static bool
get_int(const struct mp_fields *f, const char *key, int32_t *out)
{
	struct view v = mp_field(f, key);

	*out = (int32_t)mp_read_uint(&v);
	return view_ok(&v);
}

static void
get_signal(struct btt_input *in)
{
	struct mp_fields f = btt_table(in, "signal");
	struct snap_signal *g = &in->s->signal;
	int32_t uid;

	if (in->bad != NULL || f.count == 0)
		return;
	g->present = get_int(&f, "number", &g->number);
	g->name = get_known(in, &f, "name");
	g->has_code = get_int(&f, "code", &g->code);
	g->code_name = get_known(in, &f, "code_name");
	g->has_address = get_address(&f, &g->address);
	g->has_sender = get_int(&f, "sender_pid", &g->sender_pid);
	if (get_int(&f, "sender_uid", &uid))
		g->sender_uid = (uint32_t)uid;
}

static void
get_fault(struct btt_input *in)
{
	struct mp_fields f = btt_table(in, "fault");
	struct snap_fault *g = &in->s->fault;

	if (in->bad != NULL || !mp_has(&in->fields, "fault"))
		return;
	g->present = true;
	g->tid = get_index(&f, "tid");
	g->frame = get_index(&f, "frame");
	g->direction = get_known(in, &f, "direction");
	g->has_address = get_address(&f, &g->address);
	g->instruction = get_known(in, &f, "instruction");
	g->operand = get_known(in, &f, "operand");
}

static void
get_callstack(struct btt_input *in)
{
	struct view v = mp_field(&in->fields, "callstack");
	const char *text;
	size_t left;

	if (!view_ok(&v))
		return;
	vec_clear(&in->s->callstack);
	left = mp_read_array(&v);
	while (next_text(in, &v, &left, &text)) {
		const char **item = vec_push(&in->s->callstack);

		if (item != NULL)
			*item = text;
	}
}

static bool
get_common(struct btt_input *in)
{
	struct view v = mp_field(&in->fields, "classifiers");
	size_t left = view_ok(&v) ? mp_read_array(&v) : 0;
	const char *text;

	if (!get_attributes(in))
		return false;
	while (next_text(in, &v, &left, &text))
		snapshot_classifier(in->s, text);
	get_fault(in);
	v = mp_field(&in->fields, "fingerprint");
	if (view_ok(&v))
		in->s->fingerprint = btt_read_hex(in, &v);
	get_callstack(in);
	return in->bad == NULL;
}

static void
get_partial(struct btt_input *in)
{
	struct view v = mp_field(&in->fields, "partial");

	if (view_ok(&v) && mp_read_bool(&v))
		in->s->partial = true;
}

bool
btt_get_process(struct btt_input *in)
{
	get_partial(in);
	get_signal(in);
	btt_get_system(in);
	return get_common(in);
}

/* ---- analysis ---- */

static void
get_evidence(struct btt_input *in, struct view v, struct snap_finding *f)
{
	size_t left = view_ok(&v) ? mp_read_array(&v) : 0;
	const char *text;

	if (left == 0)
		return;
	f->evidence = arena_array(&in->s->arena, left, sizeof(*f->evidence));
	if (f->evidence == NULL) {
		btt_bad(in, "it does not fit into memory");
		return;
	}
	while (next_text(in, &v, &left, &text))
		f->evidence[f->n_evidence++] = text;
}

static void
get_finding(struct btt_input *in, struct view *v)
{
	struct mp_fields f;
	struct snap_finding *finding;
	struct view field;

	if (!mp_read_fields(v, &f)) {
		btt_bad(in, "a finding is damaged");
		return;
	}
	finding = vec_push(&in->s->findings);
	if (finding == NULL)
		return;
	finding->class_name = get_known(in, &f, "class");
	field = mp_field(&f, "confidence");
	finding->confidence = view_ok(&field) ? mp_read_float(&field) : 0;
	field = mp_field(&f, "primary");
	finding->primary = view_ok(&field) && mp_read_bool(&field);
	finding->module = get_known(in, &f, "module");
	finding->tid = get_index(&f, "tid");
	finding->frame = get_index(&f, "frame");
	finding->has_address = get_address(&f, &finding->address);
	finding->text = get_known(in, &f, "text");
	get_evidence(in, mp_field(&f, "evidence"), finding);
}

static void
get_places(struct btt_input *in, struct view v, const char **out, size_t *count)
{
	size_t left = view_ok(&v) ? mp_read_array(&v) : 0;

	while (
	    *count < POINTED_PLACES && next_text(in, &v, &left, &out[*count]))
		++*count;
}

/* Every row has an address and a size: a count that claims more than there are
 * bytes does not come far. */
static void
get_pointed(struct btt_input *in, struct view v)
{
	const char *places[POINTED_PLACES], *owners[POINTED_PLACES];
	struct mp_reader address, size, offset, freed, owner;
	size_t n_places = 0, n_owners = 0;
	uint64_t count, last = 0;
	struct mp_fields f;
	struct view field;

	if (view_ok(&v) == false)
		return;
	if (!mp_read_fields(&v, &f)) {
		btt_bad(in, "the list of pointers is damaged");
		return;
	}
	field = mp_field(&f, "count");
	count = view_ok(&field) ? mp_read_uint(&field) : 0;
	get_places(in, mp_field(&f, "places"), places, &n_places);
	get_places(in, mp_field(&f, "owners"), owners, &n_owners);
	address = mp_reader_exact(&f, "address", count);
	size = mp_reader_exact(&f, "size", count);
	offset = mp_reader_exact(&f, "offset", count);
	freed = mp_reader_exact(&f, "freed", count);
	owner = mp_reader_exact(&f, "owner", count);
	if (address.absent)
		return;
	for (uint64_t i = 0; i < count && mp_reader_ok(&address); i++) {
		struct snap_pointed *p = vec_push(&in->s->pointed);
		uint64_t place, who;

		if (p == NULL)
			return;
		last += mp_next(&address);
		p->address = last;
		p->heap.size = mp_next(&size);
		p->heap.offset = mp_next(&offset);
		place = mp_next(&freed);
		p->heap.allocated = place == 0;
		p->heap.place =
		    place > 0 && place <= n_places ? places[place - 1] : NULL;
		who = mp_next(&owner);
		p->owner = who > 0 && who <= n_owners ? owners[who - 1] : NULL;
	}
	btt_done(in, &address);
	btt_done(in, &size);
	btt_done(in, &offset);
	btt_done(in, &freed);
	btt_done(in, &owner);
}

bool
btt_get_analysis(struct btt_input *in)
{
	struct view v = mp_field(&in->fields, "findings");
	size_t left = view_ok(&v) ? mp_read_array(&v) : 0;
	const char *text, **item;

	if (!get_common(in))
		return false;
	while (left-- > 0 && view_ok(&v) && in->bad == NULL)
		get_finding(in, &v);
	v = mp_field(&in->fields, "heap");
	left = view_ok(&v) ? mp_read_array(&v) : 0;
	while (next_text(in, &v, &left, &text)) {
		if ((item = vec_push(&in->s->heap)) != NULL)
			*item = text;
	}
	v = mp_field(&in->fields, "locks");
	left = view_ok(&v) ? mp_read_array(&v) : 0;
	while (next_text(in, &v, &left, &text)) {
		if ((item = vec_push(&in->s->locks)) != NULL)
			*item = text;
	}
	/* An edition of the section replaces those before it. */
	in->s->pointed.count = 0;
	get_pointed(in, mp_field(&in->fields, "pointed"));
	return in->bad == NULL && btt_get_annotations(in);
}

/* ---- warnings ---- */

bool
btt_get_warnings(struct btt_input *in)
{
	struct view v = mp_field(&in->fields, "lost");
	size_t left;

	get_partial(in);
	if (view_ok(&v))
		in->s->warnings_lost += mp_read_uint(&v);
	v = mp_field(&in->fields, "warnings");
	left = view_ok(&v) ? mp_read_array(&v) : 0;
	while (left-- > 0 && view_ok(&v)) {
		size_t n = mp_read_array(&v);
		const char *stage, *code, *text;

		if (n < 3)
			return btt_bad(in, "a warning is damaged");
		stage = btt_read_text(in, &v);
		code = btt_read_text(in, &v);
		text = btt_read_text(in, &v);
		for (; n > 3 && view_ok(&v); n--)
			mp_skip(&v);
		if (in->bad != NULL)
			return false;
		snapshot_warn(in->s, stage, code, "%s", text);
	}
	return view_ok(&v) || !mp_has(&in->fields, "warnings");
}

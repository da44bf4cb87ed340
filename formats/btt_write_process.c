/* SPDX-License-Identifier: MIT */
/*
 * The sections `process` and `analysis`. Analysis comes later and may have
 * changed what process said (attributes and classifiers of modules, the
 * fault): it repeats what is new.
 */
#include "formats/btt_write.h"

static void
put_attribute(struct buf *b, const struct snap_attribute *a)
{
	mp_str(b, a->key);
	switch ((enum snap_attribute_kind)a->kind) {
	case SNAP_ATTR_STRING:
		mp_str(b, a->value.s);
		break;
	case SNAP_ATTR_INT:
		mp_int(b, a->value.i);
		break;
	case SNAP_ATTR_UINT:
		mp_uint(b, a->value.u);
		break;
	case SNAP_ATTR_DOUBLE:
		mp_float(b, a->value.f);
		break;
	case SNAP_ATTR_BOOL:
		mp_bool(b, a->value.b);
		break;
	case SNAP_ATTR_ADDRESS:
		mp_array(b, 1);
		mp_uint(b, a->value.u);
		break;
	}
}

static bool
was_sent(const struct btt_writer *w, size_t i)
{
	const struct snap_attribute *a = &w->s->attributes.items[i];
	const struct snap_attribute *was;

	if (i >= w->sent_attributes_count)
		return false;
	/* Attributes are never removed, so the index is the same. */
	was = &w->sent_attributes[i];
	return was->key == a->key && was->kind == a->kind &&
	    was->value.u == a->value.u;
}

static bool
put_attributes(struct btt_writer *w, struct mp_table *t)
{
	const struct snapshot *s = w->s;
	size_t fresh = 0, count = s->attributes.count;
	struct snap_attribute *copy;

	for (size_t i = 0; i < count; i++)
		fresh += !was_sent(w, i);
	if (fresh == 0)
		return true;

	struct buf *b = mp_table_key(t, "attributes");
	mp_map(b, fresh);
	for (size_t i = 0; i < count; i++) {
		if (!was_sent(w, i))
			put_attribute(b, &s->attributes.items[i]);
	}
	copy = realloc(w->sent_attributes, count * sizeof(*copy));
	if (copy == NULL)
		return false;
	memcpy(copy, s->attributes.items, count * sizeof(*copy));
	w->sent_attributes = copy;
	w->sent_attributes_count = count;
	return true;
}

static void
put_strings(struct buf *b, const char *const *texts, size_t count)
{
	mp_array(b, count);
	for (size_t i = 0; i < count; i++)
		mp_str(b, texts[i]);
}

static void
put_index(struct mp_table *t, const char *key, uint32_t index)
{
	if (index != SNAP_NONE)
		mp_uint(mp_table_key(t, key), index);
}

static void
put_known(struct mp_table *t, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		mp_str(mp_table_key(t, key), text);
}

static void
put_signal(const struct snap_signal *g, struct mp_table *out)
{
	struct mp_table t;

	if (!g->present)
		return;
	mp_table_init(&t);
	mp_int(mp_table_key(&t, "number"), g->number);
	put_known(&t, "name", g->name);
	if (g->has_code)
		mp_int(mp_table_key(&t, "code"), g->code);
	put_known(&t, "code_name", g->code_name);
	if (g->has_address)
		mp_uint(mp_table_key(&t, "address"), g->address);
	if (g->has_sender) {
		mp_int(mp_table_key(&t, "sender_pid"), g->sender_pid);
		mp_uint(mp_table_key(&t, "sender_uid"), g->sender_uid);
	}
	mp_table_end(&t, mp_table_key(out, "signal"));
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_fault(const struct snap_fault *a, const struct snap_fault *b)
{
	return a->present == b->present && a->tid == b->tid &&
	    a->frame == b->frame && same_text(a->direction, b->direction) &&
	    a->has_address == b->has_address && a->address == b->address &&
	    same_text(a->instruction, b->instruction) &&
	    same_text(a->operand, b->operand);
}

static void
put_fault(struct btt_writer *w, struct mp_table *out)
{
	const struct snap_fault *f = &w->s->fault;
	struct mp_table t;

	if (!f->present || same_fault(f, &w->sent_fault))
		return;
	w->sent_fault = *f;
	mp_table_init(&t);
	put_index(&t, "tid", f->tid);
	put_index(&t, "frame", f->frame);
	put_known(&t, "direction", f->direction);
	if (f->has_address)
		mp_uint(mp_table_key(&t, "address"), f->address);
	put_known(&t, "instruction", f->instruction);
	put_known(&t, "operand", f->operand);
	mp_table_end(&t, mp_table_key(out, "fault"));
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
btt_put_hex(struct buf *b, const char *text)
{
	uint8_t bytes[64];
	size_t len = strlen(text);

	if (len == 0) {
		mp_nil(b);
		return;
	}
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0 || i / 2 >= sizeof(bytes)) {
			mp_str(b, text);
			return;
		}
		bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	mp_bin(b, bytes, len / 2);
}

static uint64_t
callstack_hash(const struct snapshot *s)
{
	uint64_t h = s->callstack.count;

	for (size_t i = 0; i < s->callstack.count; i++) {
		for (const char *p = s->callstack.items[i]; *p != '\0'; p++)
			h = map_mix(h ^ (uint8_t)*p);
		h = map_mix(h ^ 0x100);
	}
	return h;
}

/* What both sections may carry. */
static bool
put_common(struct btt_writer *w, struct mp_table *t)
{
	const struct snapshot *s = w->s;
	uint64_t hash = callstack_hash(s);

	if (!put_attributes(w, t))
		return false;
	if (s->classifiers.count > w->sent_classifiers) {
		put_strings(mp_table_key(t, "classifiers"),
		    s->classifiers.items + w->sent_classifiers,
		    s->classifiers.count - w->sent_classifiers);
		w->sent_classifiers = s->classifiers.count;
	}
	put_fault(w, t);
	if (!same_text(s->fingerprint, w->sent_fingerprint)) {
		btt_put_hex(mp_table_key(t, "fingerprint"), s->fingerprint);
		w->sent_fingerprint = s->fingerprint;
	}
	if (hash != w->sent_callstack) {
		put_strings(mp_table_key(t, "callstack"), s->callstack.items,
		    s->callstack.count);
		w->sent_callstack = hash;
	}
	return true;
}

bool
btt_put_process(struct btt_writer *w, struct mp_table *t)
{
	if (w->s->partial)
		mp_bool(mp_table_key(t, "partial"), true);
	put_signal(&w->s->signal, t);
	btt_put_system(w->s, t);
	return put_common(w, t);
}

static void
put_finding(struct buf *b, const struct snap_finding *f)
{
	struct mp_table t;

	mp_table_init(&t);
	mp_str(mp_table_key(&t, "class"), f->class_name);
	mp_float(mp_table_key(&t, "confidence"), f->confidence);
	if (f->primary)
		mp_bool(mp_table_key(&t, "primary"), true);
	put_known(&t, "module", f->module);
	put_index(&t, "tid", f->tid);
	put_index(&t, "frame", f->frame);
	if (f->has_address)
		mp_uint(mp_table_key(&t, "address"), f->address);
	put_known(&t, "text", f->text);
	if (f->n_evidence > 0)
		put_strings(
		    mp_table_key(&t, "evidence"), f->evidence, f->n_evidence);
	mp_table_end(&t, b);
}

struct names { /* told by their numbers */
	const char *items[POINTED_PLACES];
	size_t n;
};

/* The number of a text, from 0; one that found no room has none that is used.*/
static size_t
text_number(struct names *t, const char *text)
{
	size_t k = 0;

	while (k < t->n && strcmp(t->items[k], text) != 0)
		k++;
	if (k == t->n && t->n < POINTED_PLACES)
		t->items[t->n++] = text;
	return k;
}

/* Columns: differences to the row before of addresses; 1 and the number of the
 * place among the texts when freed, 0 when allocated; 1 and the number of the
 * owner, 0 when there is none. */
static void
put_pointed(const struct snapshot *s, struct buf *b)
{
	struct mp_column address, size, offset, place, owner;
	struct names places = {.n = 0}, owners = {.n = 0};
	uint64_t last = 0;
	struct mp_table t;

	mp_table_init(&t);
	mp_column_init(&address);
	mp_column_init(&size);
	mp_column_init(&offset);
	mp_column_init(&place);
	mp_column_init(&owner);
	for (size_t i = 0; i < s->pointed.count; i++) {
		const struct snap_pointed *p = &s->pointed.items[i];
		const char *text = p->heap.place != NULL ? p->heap.place : "";
		mp_column_uint(&address, p->address - last);
		last = p->address;
		mp_column_uint(&size, p->heap.size);
		mp_column_uint(&offset, p->heap.offset);
		mp_column_uint(&place,
		    p->heap.allocated ? 0 : text_number(&places, text) + 1);
		mp_column_uint(&owner,
		    p->owner == NULL ? 0 : text_number(&owners, p->owner) + 1);
	}
	mp_column_end(&address, &t, "address");
	mp_column_end(&size, &t, "size");
	mp_column_end(&offset, &t, "offset");
	mp_column_end(&place, &t, "freed");
	mp_column_end(&owner, &t, "owner");
	if (places.n > 0)
		put_strings(mp_table_key(&t, "places"), places.items, places.n);
	if (owners.n > 0)
		put_strings(mp_table_key(&t, "owners"), owners.items, owners.n);
	mp_uint(mp_table_key(&t, "count"), s->pointed.count);
	mp_table_end(&t, b);
}

bool
btt_put_analysis(struct btt_writer *w, struct mp_table *t)
{
	const struct snapshot *s = w->s;

	if (!put_common(w, t))
		return false;
	if (s->findings.count > 0) {
		struct buf *b = mp_table_key(t, "findings");

		mp_array(b, s->findings.count);
		for (size_t i = 0; i < s->findings.count; i++)
			put_finding(b, &s->findings.items[i]);
	}
	btt_put_annotations(s, t);
	if (s->heap.count > 0)
		put_strings(
		    mp_table_key(t, "heap"), s->heap.items, s->heap.count);
	if (s->locks.count > 0)
		put_strings(
		    mp_table_key(t, "locks"), s->locks.items, s->locks.count);
	if (s->pointed.count > 0)
		put_pointed(s, mp_table_key(t, "pointed"));
	return true;
}

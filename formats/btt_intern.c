/* SPDX-License-Identifier: MIT */
/* Strings and number sequences that a section stores once. */
#include "formats/btt_write.h"

struct text_slot {
	const char *text; /* NULL: free */
	uint64_t hash;
	uint32_t len, id;
};

void
texts_init(struct texts *t)
{
	memset(t, 0, sizeof(*t));
	map_init(&t->pointers, SIZE_MAX);
	buf_init(&t->body, BTT_MAX_SECTION);
}

void
texts_deinit(struct texts *t)
{
	map_deinit(&t->pointers);
	free(t->slots);
	buf_deinit(&t->body);
	memset(t, 0, sizeof(*t));
}

static uint64_t
hash_bytes(const char *text, size_t len)
{
	uint64_t h = len * UINT64_C(0x9e3779b97f4a7c15), word;

	for (; len >= 8; text += 8, len -= 8) {
		memcpy(&word, text, 8);
		h = map_mix(h ^ word);
	}
	word = 0;
	memcpy(&word, text, len);
	return map_mix(h ^ word);
}

static bool
grow_slots(struct texts *t)
{
	size_t room = t->room != 0 ? t->room * 2 : 64;
	struct text_slot *slots = calloc(room, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < t->room; i++) {
		size_t at = (size_t)t->slots[i].hash & (room - 1);

		if (t->slots[i].text == NULL)
			continue;
		while (slots[at].text != NULL)
			at = (at + 1) & (room - 1);
		slots[at] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->room = room;
	return true;
}

uint32_t
texts_idn(struct texts *t, const char *text, size_t len)
{
	uint64_t hash;
	size_t at;

	if (len == 0)
		return 0;
	if (len > UINT32_MAX || t->count >= UINT32_MAX - 1 ||
	    (t->count >= t->room / 2 && !grow_slots(t))) {
		t->failed = true;
		return 0;
	}
	hash = hash_bytes(text, len);
	at = (size_t)hash & (t->room - 1);
	for (; t->slots[at].text != NULL; at = (at + 1) & (t->room - 1)) {
		const struct text_slot *slot = &t->slots[at];

		if (slot->hash == hash && slot->len == len &&
		    memcmp(slot->text, text, len) == 0)
			return slot->id;
	}
	t->slots[at] = (struct text_slot){
	    text, hash, (uint32_t)len, ++t->count};
	mp_text(&t->body, text, len);
	return t->count;
}

uint32_t
texts_id(struct texts *t, const char *text)
{
	uint64_t *id;
	bool is_new;

	if (text == NULL || text[0] == '\0')
		return 0;
	id = map_put(&t->pointers, (uint64_t)(uintptr_t)text, &is_new);
	if (id == NULL) {
		t->failed = true;
		return 0;
	}
	if (is_new)
		*id = texts_idn(t, text, strlen(text));
	return (uint32_t)*id;
}

void
texts_end(struct texts *t, struct mp_table *out)
{
	if (t->count > 0) {
		struct buf *b = mp_table_key(out, "strings");

		mp_array(b, t->count);
		buf_append(b, t->body.data, t->body.size);
		if (t->body.failed || t->failed)
			b->failed = true;
	}
	texts_deinit(t);
}

/* ---- threads ---- */

static int
compare_threads(const void *a, const void *b, void *context)
{
	const struct snap_thread *threads = context;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct snap_thread *x = &threads[i];
	const struct snap_thread *y = &threads[k];

	if (x->fault != y->fault)
		return x->fault ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return i < k ? -1 : i > k;
}

uint32_t *
btt_thread_order(const struct snap_thread *threads, size_t n)
{
	uint32_t *order = calloc(n + 1, sizeof(*order));

	if (order == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, n, sizeof(*order), compare_threads,
	    (void *)(uintptr_t)threads);
	return order;
}

/* ---- sequences ---- */

void
sequences_init(struct sequences *q)
{
	map_init(&q->ids, UINT32_MAX);
	vec_init(&q->values, UINT32_MAX);
	vec_init(&q->ends, UINT32_MAX);
	q->failed = false;
}

void
sequences_deinit(struct sequences *q)
{
	map_deinit(&q->ids);
	vec_deinit(&q->values);
	vec_deinit(&q->ends);
}

size_t
sequences_start(const struct sequences *q, uint32_t id)
{
	return id > 0 ? q->ends.items[id - 1] : 0;
}

static bool
same_sequence(
    const struct sequences *q, uint32_t id, const int64_t *values, size_t count)
{
	size_t start = sequences_start(q, id);

	return q->ends.items[id] - start == count &&
	    (count == 0 ||
		memcmp(&q->values.items[start], values,
		    count * sizeof(*values)) == 0);
}

static uint32_t
add_sequence(struct sequences *q, const int64_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t *item = vec_push(&q->values);

		if (item == NULL)
			return SNAP_NONE;
		*item = values[i];
	}

	uint32_t *end = vec_push(&q->ends);
	if (end == NULL)
		return SNAP_NONE;
	*end = (uint32_t)q->values.count;
	return (uint32_t)q->ends.count - 1;
}

uint32_t
sequences_id(struct sequences *q, const int64_t *values, size_t count)
{
	uint64_t key = map_mix(count + 1), *id = NULL;

	for (size_t i = 0; i < count; i++)
		key = map_mix(key ^ (uint64_t)values[i]);
	for (;; key++) {
		bool is_new;

		id = map_put(&q->ids, key, &is_new);
		if (id == NULL)
			break;
		if (!is_new && *id != SNAP_NONE &&
		    same_sequence(q, (uint32_t)*id, values, count))
			return (uint32_t)*id;
		if (is_new) {
			uint32_t added = add_sequence(q, values, count);

			*id = added;
			q->failed |= added == SNAP_NONE;
			return added;
		}
	}
	q->failed = true;
	return SNAP_NONE;
}

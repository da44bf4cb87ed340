/* SPDX-License-Identifier: MIT */
/*
 * The heap for a person: one line for each allocator, and what is wrong with
 * it. Read from the snapshot's own JSON objects (docs/snapshot-format.md); one
 * that is of another shape is left to the details, as it is.
 */
#include <string.h>

#include "base/text.h"
#include "formats/json.h"
#include "formats/text_out.h"

enum { ANOMALIES_SHOWN = 5 };

/* Behind the string that starts here. The text is valid JSON. */
static const char *
after_string(const char *p)
{

	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

/* Behind the value that starts here. */
static const char *
after_value(const char *p)
{
	unsigned depth = 0;

	do {
		if (*p == '"') {
			p = after_string(p);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && depth-- == 0)
			return p;
		else if (*p == ',' && depth == 0)
			return p;
		p++;
	} while (*p != '\0');
	return p;
}

static const char *
blanks(const char *p)
{

	return p + strspn(p, " \t\r\n");
}

/* The value of a member, NULL: there is none of that name. */
static const char *
member(const char *object, const char *key)
{
	const char *p = blanks(object + 1);
	size_t n = strlen(key);

	while (*p == '"') {
		const char *end = after_string(p), *value;
		bool same = (size_t)(end - p) == n + 2 &&
		    memcmp(p + 1, key, n) == 0;

		value = blanks(blanks(end) + 1);
		if (same)
			return value;
		p = blanks(after_value(value));
		if (*p == ',')
			p = blanks(p + 1);
	}
	return NULL;
}

static uint64_t
number(const char *object, const char *key)
{
	const char *p = object != NULL ? member(object, key) : NULL;
	uint64_t n = 0;

	/* Ours fit; of what others wrote the rest is left out. */
	for (; p != NULL && *p >= '0' && *p <= '9' && n <= UINT64_MAX / 10 - 1;
	     p++)
		n = n * 10 + (uint64_t)(*p - '0');
	return n;
}

static const char *
part(const char *object, const char *key, char kind)
{
	const char *value = member(object, key);

	return value != NULL && *value == kind ? value : NULL;
}

/* A string as it is between its quotes: our own writer escapes next to
 * nothing, and what is printed is escaped again. */
static void
put_string(struct text_out *t, const char *object, const char *key)
{
	const char *value = part(object, key, '"');

	if (value != NULL) {
		size_t n = (size_t)(after_string(value) - value) - 2;

		text_escape(t->b, value + 1, n);
	}
}

static void
put_bytes(struct text_out *t, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double size = (double)bytes / 1024;
	unsigned unit = 0;

	if (bytes < 10240) {
		text_say(t, "%llu bytes", (unsigned long long)bytes);
		return;
	}
	for (; size >= 10240 && unit < 3; unit++)
		size /= 1024;
	text_say(t, "%.0f %s", size, units[unit]);
}

static void
put_amount(
    struct text_out *t, const char *object, const char *key, const char *what)
{
	const char *amount = part(object, key, '{');
	uint64_t blocks = amount != NULL ? number(amount, "blocks") : 0;

	if (blocks == 0)
		return;
	text_say(t, ", %llu block%s (", (unsigned long long)blocks,
	    blocks == 1 ? "" : "s");
	put_bytes(t, number(amount, "bytes"));
	text_say(t, ") %s", what);
}

static void
put_anomalies(struct text_out *t, const char *object)
{
	const char *p = part(object, "anomalies", '[');
	uint64_t all = number(object, "anomaly_count"), shown = 0;

	for (p = p != NULL ? blanks(p + 1) : ""; *p == '{';) {
		const char *transient = member(p, "transient");

		if ((transient == NULL || *transient != 't') &&
		    shown < ANOMALIES_SHOWN) {
			shown++;
			text_say(t, "    - ");
			put_string(t, p, "text");
			text_end(t);
		}
		p = blanks(after_value(p));
		if (*p == ',')
			p = blanks(p + 1);
	}
	if (all > shown && shown > 0) {
		text_say(t, "    - and %llu more",
		    (unsigned long long)(all - shown));
		text_end(t);
	}
}

bool
text_heap_is_ours(const char *json)
{

	return json_valid(json, strlen(json)) && json[0] == '{' &&
	    part(json, "allocator", '"') != NULL &&
	    part(json, "allocated", '{') != NULL;
}

static void
put_allocator(struct text_out *t, const char *object)
{
	uint64_t wrong = number(object, "anomaly_count");
	const char *version = part(object, "version", '"');

	text_say(t, "  heap: ");
	put_string(t, object, "allocator");
	if (version != NULL) {
		text_say(t, " (");
		put_string(t, object, "version");
		text_say(t, ")");
	}
	put_amount(t, object, "allocated", "in use");
	put_amount(t, object, "cached", "in thread caches");
	put_amount(t, object, "free", "free");
	if (wrong > 0) {
		text_say(t, ", ");
		text_on(t, TEXT_DOUBT);
		text_say(t, "%llu thing%s wrong", (unsigned long long)wrong,
		    wrong == 1 ? "" : "s");
		text_off(t);
	}
	text_end(t);
	put_anomalies(t, object);
}

void
text_heap(struct text_out *t)
{
	const struct snapshot *s = t->s;

	for (size_t i = 0; i < s->heap.count; i++)
		if (text_heap_is_ours(s->heap.items[i]))
			put_allocator(t, s->heap.items[i]);
}

/* SPDX-License-Identifier: MIT */
/*
 * Fields: keys and values.
 */
#include "service/fields.h"

#include <stdio.h>

#include "base/text.h"
#include "service/file.h"

enum { ENTRIES_MAX = 256, FILE_MAX = 256 * 1024 };

void
fields_init(struct fields *r)
{
	vec_init(&r->entries, ENTRIES_MAX);
	r->failed = false;
}

void
fields_deinit(struct fields *r)
{
	for (size_t i = 0; i < r->entries.count; i++) {
		free(r->entries.items[i].key);
		free(r->entries.items[i].value);
	}
	vec_deinit(&r->entries);
}

static struct field *
find(const struct fields *r, const char *key)
{
	for (size_t i = 0; i < r->entries.count; i++)
		if (strcmp(r->entries.items[i].key, key) == 0)
			return &r->entries.items[i];
	return NULL;
}

void
fields_set(struct fields *r, const char *key, const char *value)
{
	struct field *entry = find(r, key);
	char *copy = strdup(value);

	if (copy != NULL && entry == NULL) {
		char *name = strdup(key);

		entry = name != NULL ? vec_push(&r->entries) : NULL;
		if (entry != NULL)
			entry->key = name;
		else
			free(name);
	}
	if (copy == NULL || entry == NULL) {
		free(copy);
		r->failed = true;
		return;
	}
	free(entry->value);
	entry->value = copy;
}

void
fields_set_i64(struct fields *r, const char *key, int64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	fields_set(r, key, text);
}

const char *
fields_get(const struct fields *r, const char *key)
{
	struct field *entry = find(r, key);

	return entry != NULL ? entry->value : NULL;
}

int64_t
fields_get_i64(const struct fields *r, const char *key, int64_t or)
{
	const char *text = fields_get(r, key);
	int64_t value;

	return text != NULL && text_i64(text, &value) ? value : or ;
}

/* ---- text ---- */

static void
put_value(struct buf *out, const char *value)
{
	size_t len = strlen(value);
	bool utf8 = text_is_utf8(value, len);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c < 0x20 || c == 0x7f || c == '%' ||
		    (c >= 0x80 && utf8 == false))
			buf_printf(out, "%%%02X", c);
		else
			buf_putc(out, (char)c);
	}
}

void
fields_write(const struct fields *r, struct buf *out)
{
	for (size_t i = 0; i < r->entries.count; i++) {
		buf_printf(out, "%s=", r->entries.items[i].key);
		put_value(out, r->entries.items[i].value);
		buf_putc(out, '\n');
	}
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place: the text only gets shorter. */
static void
decode(char *text)
{
	char *out = text;

	while (*text != '\0') {
		if (text[0] == '%' && hex_digit(text[1]) >= 0 &&
		    hex_digit(text[2]) >= 0) {
			int c = hex_digit(text[1]) << 4 | hex_digit(text[2]);

			/* A NUL has no place in a C string. */
			*out++ = c != 0 ? (char)c : '?';
			text += 3;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

void
fields_parse(struct fields *r, const char *text, size_t size)
{
	char *copy = strndup(text, size), *rest = copy, *line;

	r->failed = r->failed || copy == NULL;
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
		char *equals = strchr(line, '=');

		if (equals == NULL || equals == line)
			continue;
		*equals = '\0';
		decode(equals + 1);
		fields_set(r, line, equals + 1);
	}
	free(copy);
}

bool
fields_load(struct fields *r, int dir_fd, const char *name, bt_error_t *e)
{
	struct buf text;
	bool good;

	buf_init(&text, FILE_MAX);
	good = file_read_at(dir_fd, name, &text, e);
	if (good)
		fields_parse(r, buf_text(&text), text.size);
	buf_deinit(&text);
	if (good && r->failed)
		return bt_fail(e, BT_E_NOMEM, "%s: out of memory", name);
	return good;
}

bool
fields_save(const struct fields *r, int dir_fd, const char *name, bt_error_t *e)
{
	struct buf text;
	bool good;

	buf_init(&text, FILE_MAX);
	fields_write(r, &text);
	good = r->failed || text.failed
	    ? bt_fail(e, BT_E_LIMIT, "%s is too large", name)
	    : file_replace_at(dir_fd, name, text.data, text.size, 0600, e);
	buf_deinit(&text);
	return good;
}

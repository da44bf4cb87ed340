/* SPDX-License-Identifier: MIT */
/*
 * Words.
 */
#include "coresnapd/words.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"

enum { WORDS_MAX = 256, LINE_MAX_BYTES = 65536 };

void
words_init(struct words *w)
{
	vec_init(&w->list, WORDS_MAX);
	w->failed = false;
}

void
words_deinit(struct words *w)
{
	for (size_t i = 0; i < w->list.count; i++)
		free(w->list.items[i]);
	vec_deinit(&w->list);
}

/* Takes the text over. */
static void
take(struct words *w, char *text)
{
	char **place = text != NULL ? vec_push(&w->list) : NULL;

	if (place != NULL)
		*place = text;
	else
		free(text);
	w->failed = w->failed || place == NULL;
}

void
words_add(struct words *w, const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	take(w, text);
}

static const char *
value_of(const struct words_value *values, char letter)
{
	for (; values->letter != '\0'; values++)
		if (values->letter == letter)
			return values->text;
	return NULL;
}

static void
expand_word(struct words *w, const char *word, size_t len,
    const struct words_value *values)
{
	struct buf out;

	buf_init(&out, LINE_MAX_BYTES);
	for (size_t i = 0; i < len; i++) {
		const char *value = NULL;

		if (word[i] == '%' && i + 1 < len)
			value = word[i + 1] == '%'
			    ? "%"
			    : value_of(values, word[i + 1]);
		if (value == NULL) {
			buf_putc(&out, word[i]);
			continue;
		}
		buf_puts(&out, value);
		i++;
	}
	w->failed = w->failed || out.failed;
	take(w, strdup(buf_text(&out)));
	buf_deinit(&out);
}

void
words_expand(
    struct words *w, const char *line, const struct words_value *values)
{
	for (line += strspn(line, " \t"); *line != '\0';
	     line += strspn(line, " \t")) {
		size_t len = strcspn(line, " \t");

		expand_word(w, line, len, values);
		line += len;
	}
}

char *const *
words_argv(struct words *w)
{
	if (w->failed || w->list.count == 0)
		return NULL;
	/* Pushed items are zero: the end of the array. */
	if (vec_push(&w->list) == NULL)
		return NULL;
	w->list.count--;
	return w->list.items;
}

void
words_log(const struct words *w, const struct service_log *l)
{
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	for (size_t i = 0; i < w->list.count; i++)
		buf_printf(&line, " %s", w->list.items[i]);
	log_say(l, LOG_INFO, "Executing slave:%s", buf_text(&line));
	buf_deinit(&line);
}

/* SPDX-License-Identifier: MIT */
/*
 * JSON annotations as people read them: keys and values on lines of their own,
 * what is nested indented. The text is foreign; what is no JSON is shown as it
 * stands.
 *
 *	# Stale pointer [stale]
 *	    address: 0x55d0
 *	    references:
 *	      1: level 1: rax of thread 7
 */
#include <ctype.h>

#include "formats/text_out.h"

enum { DEPTH_MAX = 16, LINES_MAX = 200 };

struct tree {
	const char *at;
	struct text_out *t;
	unsigned indent, lines;
	struct buf text; /* of the string being read */
};

static void
skip_space(struct tree *r)
{
	while (
	    *r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')
		r->at++;
}

static bool
take(struct tree *r, char c)
{
	skip_space(r);
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits, as UTF-8; halves of a pair stay apart and are shown
 * escaped. */
static bool
put_code(struct tree *r)
{
	unsigned code = 0;

	for (int i = 0; i < 4; i++, r->at++) {
		int digit = hex_value(*r->at);

		if (digit < 0)
			return false;
		code = code << 4 | (unsigned)digit;
	}
	if (code < 0x80) {
		buf_putc(&r->text, (char)code);
	} else if (code < 0x800) {
		buf_putc(&r->text, (char)(0xc0 | code >> 6));
		buf_putc(&r->text, (char)(0x80 | (code & 0x3f)));
	} else {
		buf_putc(&r->text, (char)(0xe0 | code >> 12));
		buf_putc(&r->text, (char)(0x80 | (code >> 6 & 0x3f)));
		buf_putc(&r->text, (char)(0x80 | (code & 0x3f)));
	}
	return true;
}

/* A string into r->text. */
static bool
read_string(struct tree *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	buf_clear(&r->text);
	if (take(r, '"') == false)
		return false;
	while (*r->at != '"') {
		const char *escape;

		if (*r->at == '\0')
			return false;
		if (*r->at != '\\') {
			buf_putc(&r->text, *r->at++);
			continue;
		}
		r->at++;
		if (*r->at == 'u') {
			r->at++;
			if (put_code(r) == false)
				return false;
			continue;
		}
		escape = *r->at != '\0' ? strchr(from, *r->at) : NULL;
		if (escape == NULL)
			return false;
		buf_putc(&r->text, to[escape - from]);
		r->at++;
	}
	r->at++;
	return true;
}

/* A string, or the characters of a number or word. */
static bool
read_scalar(struct tree *r)
{
	size_t n;

	skip_space(r);
	if (*r->at == '"')
		return read_string(r);
	n = strcspn(r->at, ",]} \t\r\n");
	buf_clear(&r->text);
	buf_append(&r->text, r->at, n);
	r->at += n;
	return n > 0;
}

static bool put_members(struct tree *r, char close, unsigned depth);

static bool
opens(struct tree *r, char *close)
{
	skip_space(r);
	*close = *r->at == '{' ? '}' : *r->at == '[' ? ']' : '\0';
	if (*close == '\0')
		return false;
	r->at++;
	return true;
}

/* Past the number of lines the rest is read and not shown. */
static bool
shown(const struct tree *r)
{

	return r->lines <= LINES_MAX;
}

static void
begin_line(struct tree *r, unsigned depth)
{
	r->lines++;
	if (shown(r))
		text_say(r->t, "%*s", (int)(r->indent + 2 * depth), "");
}

static void
end_line(struct tree *r)
{
	if (r->lines == LINES_MAX)
		text_say(r->t, " ...");
	if (shown(r))
		text_end(r->t);
}

/* "key: value", or "key:" and what is in it. */
static bool
put_value(struct tree *r, unsigned depth)
{
	char close;

	if (opens(r, &close)) {
		end_line(r);
		return put_members(r, close, depth + 1);
	}
	if (read_scalar(r) == false)
		return false;
	if (shown(r)) {
		text_say(r->t, " ");
		text_put(r->t, buf_text(&r->text));
	}
	end_line(r);
	return true;
}

/* The members of an object or array that has been opened. */
static bool
put_members(struct tree *r, char close, unsigned depth)
{
	if (depth >= DEPTH_MAX)
		return false;
	if (take(r, close))
		return true;
	do {
		begin_line(r, depth);
		if (close == '}') {
			if (read_string(r) == false || take(r, ':') == false)
				return false;
			if (shown(r))
				text_put(r->t, buf_text(&r->text));
		}
		if (shown(r))
			text_say(r->t, close == '}' ? ":" : "-");
		if (put_value(r, depth) == false)
			return false;
	} while (take(r, ','));
	return take(r, close);
}

/* {"json": {"context": "Title", ...}}: past the title, which is in r->text; the
 * shape is that of the original's modules, others have none. */
static bool
read_title(struct tree *r)
{
	const char *start = r->at;

	if (take(r, '{') && read_string(r) &&
	    strcmp(buf_text(&r->text), "json") == 0 && take(r, ':') &&
	    take(r, '{') && read_string(r) &&
	    strcmp(buf_text(&r->text), "context") == 0 && take(r, ':') &&
	    read_string(r) && take(r, ','))
		return true;
	r->at = start;
	return false;
}

bool
text_tree(struct text_out *t, const struct snap_annotation *a, unsigned indent)
{
	struct tree r = {.at = a->text, .t = t, .indent = indent + 2};
	size_t before = t->b->size, line = t->line;
	bool good, titled;
	char close;

	buf_init(&r.text, 1 << 20);
	titled = read_title(&r);
	text_say(t, "%*s", (int)indent, "");
	text_on(t, TEXT_DIM);
	text_say(t, "# ");
	text_put(t, titled ? buf_text(&r.text) : "data");
	if (a->module != NULL && a->module[0] != '\0') {
		text_say(t, " [");
		text_put(t, a->module);
		text_say(t, "]");
	}
	text_off(t);
	text_end(t);
	/* Behind the title the object goes on with its next member. */
	if (titled)
		good = put_members(&r, '}', 0) && take(&r, '}');
	else
		good = opens(&r, &close) && put_members(&r, close, 0);
	skip_space(&r);
	good = good && *r.at == '\0';
	if (good == false) {
		t->b->size = before;
		t->line = line;
	}
	buf_deinit(&r.text);
	return good;
}

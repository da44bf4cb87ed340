/* SPDX-License-Identifier: MIT */
/* The report's own small printer: see text_out.h. */
#include "formats/text_out.h"
#include "base/text.h"

static const char *const codes[] = {
    [TEXT_ALARM] = "\x1b[1;31m",
    [TEXT_STRONG] = "\x1b[1m",
    [TEXT_SYMBOL] = "\x1b[33m",
    [TEXT_DIM] = "\x1b[2m",
    [TEXT_DOUBT] = "\x1b[35m",
    [TEXT_NAME] = "\x1b[36m",
};

void
text_on(struct text_out *t, enum text_style style)
{
	if (t->o->color)
		buf_puts(t->b, codes[style]);
}

void
text_off(struct text_out *t)
{
	if (t->o->color)
		buf_puts(t->b, "\x1b[0m");
}

void
text_put(struct text_out *t, const char *foreign)
{
	if (foreign != NULL)
		text_escape(t->b, foreign, strlen(foreign));
}

void
text_styled(struct text_out *t, enum text_style style, const char *foreign)
{
	text_on(t, style);
	text_put(t, foreign);
	text_off(t);
}

void
text_say(struct text_out *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(t->b, format, ap);
	va_end(ap);
}

void
text_end(struct text_out *t)
{
	buf_putc(t->b, '\n');
	t->line = t->b->size;
}

/* Every character counts as one column, a colour as none. */
size_t
text_columns(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c == 0x1b) {
			while (i < len && text[i] != 'm')
				i++;
			continue;
		}
		columns += (c & 0xc0) != 0x80;
	}
	return columns;
}

void
text_flow_begin(
    struct text_flow *f, struct text_out *t, unsigned indent, size_t column)
{
	*f = (struct text_flow){t, indent, column, false};
}

/* Where a text that is too long may be broken: after the last ", " that fits
 * into the room, when that fills half of it, else the last blank; else all. */
static size_t
break_at(const char *text, size_t len, size_t room)
{
	size_t best = 0, comma = 0, comma_columns = 0, columns = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c == 0x1b) {
			while (i < len && text[i] != 'm')
				i++;
			continue;
		}
		columns += (c & 0xc0) != 0x80;
		if (columns > room && best > 0)
			return comma_columns > room / 2 ? comma : best;
		if (c != ' ')
			continue;
		best = i + 1;
		if (i > 0 && text[i - 1] == ',') {
			comma = best;
			comma_columns = columns;
		}
	}
	return len;
}

static void
new_line(struct text_flow *f)
{
	struct buf *b = f->t->b;

	while (b->size > 0 && b->data[b->size - 1] == ' ')
		b->size--;
	text_end(f->t);
	text_say(f->t, "%*s", (int)f->indent, "");
	f->column = f->indent;
}

void
text_flow_item(struct text_flow *f, const char *text, size_t len)
{
	size_t width = f->t->o->width, columns = text_columns(text, len);

	if (f->any) {
		text_say(f->t, ", ");
		f->column += 2;
	}
	/* A short item is not broken inside. */
	if (width != 0 && f->any && f->column + columns > width &&
	    columns <= width)
		new_line(f);
	f->any = true;
	while (width > f->indent + 20 && f->column + columns > width) {
		size_t cut = break_at(
		    text, len, width > f->column ? width - f->column : 0);

		if (cut == len)
			break;
		buf_append(f->t->b, text, cut);
		new_line(f);
		/* What goes on is set in, so that it is seen to go on. */
		text_say(f->t, "    ");
		f->column += 4;
		text += cut;
		len -= cut;
		columns = text_columns(text, len);
	}
	buf_append(f->t->b, text, len);
	f->column += columns;
}

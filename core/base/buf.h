/* SPDX-License-Identifier: MIT */
/*
 * A growable byte buffer with a cap fixed at creation. Failure is sticky:
 * after the cap or memory ran out, appends do nothing and `failed` stays set,
 * so a writer checks once at the end. The content before the failure stays.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/error.h"
#include <stdarg.h>

struct buf {
	uint8_t *data;
	size_t size;
	size_t room;
	size_t cap;
	bool failed;
};

void buf_init(struct buf *b, size_t cap);
void buf_deinit(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory, clears failed */

void buf_append(struct buf *b, const void *data, size_t size);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) BT_PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list ap) BT_PRINTF(2, 0);
/* Makes room for size bytes and returns where to write them (then they count
 * as written), or NULL. */
uint8_t *buf_extend(struct buf *b, size_t size);
/* Room for that many more bytes, so that filling it does not grow it step by
 * step. False: failed. */
bool buf_reserve(struct buf *b, size_t size);
/* Appends all of the part, and frees it. A part that failed fails b, too. */
void buf_take(struct buf *b, struct buf *part);
/* NUL-terminates (the NUL does not count in size) and returns the text; "" when
 * empty or failed from the start. */
const char *buf_text(struct buf *b);

#endif /* BASE_BUF_H */

/* SPDX-License-Identifier: MIT */
/*
 * Foreign text on its way to a terminal, a log or JSON.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

/* Appends text with C0/C1 controls, DEL, ESC, invalid UTF-8, bidirectional
 * overrides and other invisible format characters shown as \n, \t, \xNN or
 * \u{NNNN}; a backslash stays as it is. One line stays one line. */
void text_escape(struct buf *b, const char *text, size_t len);
/* True when the bytes are valid UTF-8 (no surrogates, no overlong forms). */
bool text_is_utf8(const void *text, size_t len);
/* True of a code point that may stand in text (no surrogate). */
bool text_is_code_point(uint64_t c);
/* Such a code point as UTF-8; returns how many bytes it has. */
size_t text_utf8(uint32_t c, char out[static 4]);
/* Same escapes into a fixed buffer, cut with "..." if needed; returns out. */
char *text_escape_into(char *out, size_t out_size, const char *text);

/* Strict numbers: the whole string, no blanks, no overflow. text_u64 accepts
 * 0x for hexadecimal. */
bool text_u64(const char *s, uint64_t *out);
bool text_i64(const char *s, int64_t *out);
/* Sizes with k, M, G suffix (powers of 1024). */
bool text_size(const char *s, uint64_t *out);

/* Unix time as "2026-11-21 16:30:56" in UTC, with that separator. Not by
 * gmtime_r(3), which reads the time zone from a file first. False before year 0
 * and after 9999. */
bool text_date(int64_t seconds, char separator, char out[static 20]);

/* Last component of a path ("/a/b" -> "b"); never NULL. */
const char *text_basename(const char *path);

#endif /* BASE_TEXT_H */

/* SPDX-License-Identifier: MIT */
/*
 * Quoting. What is quoted are names of the crashed program's.
 */
#include <stdio.h>

#include "quote.h"

enum { TEXT_MAX = 1024 };

const char *
quote_json(ptrace_backtrace_t *bt, const char *text)
{
	char out[TEXT_MAX * 6 + 1];
	size_t n = 0;

	for (size_t i = 0; text[i] != '\0' && i < TEXT_MAX; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\') {
			out[n++] = '\\';
			out[n++] = (char)c;
		} else if (c < 0x20 || c == 0x7f) {
			n += (size_t)snprintf(out + n, 7, "\\u%04x", c);
		} else {
			out[n++] = (char)c;
		}
	}
	out[n] = '\0';
	return pmodule_text(bt, "\"%s\"", out);
}

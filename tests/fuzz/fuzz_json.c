/* SPDX-License-Identifier: MIT */
/*
 * JSON: the validator on any text, and that what the writer makes of any bytes
 * is valid, ASCII or UTF-8, and no terminal's business.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/text.h"
#include "formats/json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out;

	(void)json_valid((const char *)data, size);
	buf_init(&out, (size_t)1 << 24);
	json_string(&out, (const char *)data, size);
	if (!out.failed && !json_valid((const char *)out.data, out.size))
		abort();
	buf_deinit(&out);
	buf_init(&out, (size_t)1 << 24);
	text_escape(&out, (const char *)data, size);
	for (size_t i = 0; i < out.size; i++)
		if (out.data[i] < 0x20 || out.data[i] == 0x7f)
			abort();
	buf_deinit(&out);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The snapshot reader. What could be read is shown in every form, and written
 * and read once more: a snapshot that we wrote ourselves must be readable.
 *
 * Sections are guarded by checksums, which random changes never meet. So an
 * input that begins with 'S' is not a file but a list of payloads, each after
 * the number of its section and its length (4 bytes), of which a file is made
 * here. Any other input is the file itself, after its first byte.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/hash.h"
#include "formats/btt.h"
#include "formats/json.h"
#include "formats/mp.h"
#include "formats/text.h"

enum { OUT_MAX = 16 << 20, ARENA_MAX = 64 << 20 };

static void
put_section(struct buf *out, enum btt_section which, struct view payload)
{
	mp_map(out, 5);
	mp_str(out, "section");
	mp_str(out, btt_section_name(which));
	mp_str(out, "codec");
	mp_str(out, "none");
	mp_str(out, "size");
	mp_uint(out, payload.size);
	mp_str(out, "crc32c");
	mp_uint(out, crc32c(0, payload.data, payload.size));
	mp_str(out, "data");
	mp_bin(out, payload.data, payload.size);
}

/* The file that holds these payloads; it has no directory, which is as if it
 * were cut off there. */
static void
put_file(struct buf *out, struct view v)
{
	struct btt_writer *w;
	struct snapshot s;

	if (snapshot_init(&s, 1 << 16) && (w = btt_writer_create(&s)) != NULL) {
		(void)btt_write_header(w, out, NULL);
		btt_writer_destroy(w);
	}
	snapshot_deinit(&s);
	while (!view_end(&v)) {
		unsigned which = view_u8(&v) % BTT_SECTION__COUNT;
		size_t size = view_u32(&v);
		const uint8_t *at;

		if (size > view_left(&v))
			size = view_left(&v);
		at = view_bytes(&v, size);
		if (at != NULL)
			put_section(out, which, view_of(at, size));
	}
}

static void
show(const struct snapshot *s)
{
	struct text_options o = {.variables = true, .details = true};
	struct buf out;

	buf_init(&out, OUT_MAX);
	json_write(s, true, &out);
	if (!out.failed && !json_valid((const char *)out.data, out.size - 1))
		abort();
	buf_clear(&out);
	text_report(s, &o, &out);
	o.width = 80;
	o.color = o.group_line = true;
	text_report(s, &o, &out);
	fuzz_use(out.data, out.size);
	buf_deinit(&out);
}

static void
write_and_read(const struct snapshot *s)
{
	struct btt_writer *w = btt_writer_create(s);
	struct snapshot again;
	struct buf out;
	bool ok = true;

	if (w == NULL)
		return;
	buf_init(&out, OUT_MAX);
	ok = btt_write_header(w, &out, NULL);
	for (int i = 0; i < BTT_SECTION__COUNT; i++)
		ok = btt_write_section(w, (enum btt_section)i, &out, NULL) &&
		    ok;
	if (ok && !out.failed && snapshot_init(&again, ARENA_MAX)) {
		if (!btt_read(out.data, out.size, &again, NULL))
			abort();
		snapshot_deinit(&again);
	}
	buf_deinit(&out);
	btt_writer_destroy(w);
}

static void
one(const void *data, size_t size)
{
	struct snapshot s;

	if (!snapshot_init(&s, ARENA_MAX))
		return;
	if (btt_read(data, size, &s, NULL)) {
		show(&s);
		write_and_read(&s);
	}
	snapshot_deinit(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf file;

	if (size == 0)
		return 0;
	if (data[0] != 'S') {
		one(data + 1, size - 1);
		return 0;
	}
	buf_init(&file, OUT_MAX);
	put_file(&file, view_of(data + 1, size - 1));
	one(file.data, file.size);
	buf_deinit(&file);
	return 0;
}

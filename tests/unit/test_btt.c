/* SPDX-License-Identifier: MIT */
/*
 * The snapshot file: what reading promises for files that were cut, damaged,
 * written by a newer program, or made to hurt; and what sizes it keeps.
 */
#include <zstd.h>

#include "base/hash.h"
#include "formats/mp.h"
#include "harness/test.h"
#include "unit/snapshot_sample.h"

#define SMALL_CAP ((size_t)64 << 20)

/* Where each section of a written file begins; the directory comes last. */
struct layout {
	struct buf file;
	size_t starts[BTT_SECTION__COUNT + 1];
	size_t count;
};

static void
write_full(struct layout *l)
{
	struct snapshot s;
	struct btt_writer *w;
	struct btt_entry entries[BTT_SECTION__COUNT] = {0};

	snapshot_init(&s, SAMPLE_CAP);
	sample_full(&s);
	w = btt_writer_create(&s);
	buf_init(&l->file, SMALL_CAP);
	l->count = 0;
	assert_true(btt_write_header(w, &l->file, NULL));
	for (int i = 0; i < BTT_SECTION__COUNT; i++) {
		struct btt_entry *entry = &entries[l->count];

		l->starts[l->count++] = l->file.size;
		snprintf(entry->name, sizeof(entry->name), "%s",
		    btt_section_name((enum btt_section)i));
		entry->offset = l->file.size;
		assert_true(
		    btt_write_section(w, (enum btt_section)i, &l->file, NULL));
		entry->length = l->file.size - entry->offset;
		assert_true(entry->length > 0);
	}
	l->starts[l->count] = l->file.size;
	assert_true(btt_write_directory(
	    entries, l->count, l->file.size, &l->file, NULL));
	btt_writer_destroy(w);
	snapshot_deinit(&s);
}

static bool
has_warning(const struct snapshot *s, const char *code, const char *part)
{
	for (size_t i = 0; i < s->warnings.count; i++) {
		const struct snap_warning *w = &s->warnings.items[i];

		if (strcmp(w->stage, "read") == 0 &&
		    strcmp(w->code, code) == 0 && strstr(w->text, part) != NULL)
			return true;
	}
	return false;
}

static void
read_part(struct snapshot *s, const void *data, size_t size)
{
	bt_error_t e;

	snapshot_init(s, SMALL_CAP);
	assert_ok(btt_read(data, size, s, &e), &e);
}

TEST(cut_after_any_section)
{
	struct layout l;
	struct snapshot s;

	write_full(&l);
	for (size_t i = 0; i <= l.count; i++) {
		read_part(&s, l.file.data, l.starts[i]);
		expect_true(s.partial);
		expect_true(has_warning(&s, "cut", "ends before"));
		expect_int((long long)s.threads.count, i > BTT_THREADS ? 3 : 0);
		expect_int((long long)s.modules.count, i > BTT_MODULES ? 3 : 0);
		expect_int((long long)s.memory.count, i > BTT_MEMORY ? 2 : 0);
		expect_true(s.signal.present == (i > BTT_PROCESS));
		if (i > BTT_VARIABLES)
			expect_int(
			    s.threads.items[0].frames[0].n_variables, 19);
		expect_int((long long)s.warnings.count,
		    1 + (i > BTT_WARNINGS ? 2 : 0));
		snapshot_deinit(&s);
	}
	buf_deinit(&l.file);
}

/* Cut anywhere: what came before is there, nothing crashes. */
TEST(cut_anywhere)
{
	struct layout l;
	struct snapshot s;
	bt_error_t e;

	write_full(&l);
	for (size_t size = 0; size < l.file.size; size++) {
		snapshot_init(&s, SMALL_CAP);
		if (size < l.starts[0]) {
			expect_code(btt_read(l.file.data, size, &s, &e), &e,
			    BT_E_FORMAT);
		} else {
			expect_ok(btt_read(l.file.data, size, &s, &e), &e);
			expect_true(s.partial);
			expect_true(s.threads.count ==
			    (size >= l.starts[BTT_THREADS + 1] ? 3 : 0));
		}
		snapshot_deinit(&s);
	}
	buf_deinit(&l.file);
}

/* A flipped bit in a section's data costs that section alone. */
TEST(damaged_section)
{
	struct layout l;
	struct snapshot s;

	write_full(&l);
	for (size_t i = 0; i < l.count; i++) {
		l.file.data[l.starts[i + 1] - 3] ^= 1;
		read_part(&s, l.file.data, l.file.size);
		expect_true(s.partial);
		expect_true(has_warning(
		    &s, "damaged", btt_section_name((enum btt_section)i)));
		expect_false(has_warning(&s, "cut", ""));
		expect_int(
		    (long long)s.threads.count, i != BTT_THREADS ? 3 : 0);
		expect_int(
		    (long long)s.modules.count, i != BTT_MODULES ? 3 : 0);
		expect_int(
		    (long long)s.findings.count, i != BTT_ANALYSIS ? 2 : 0);
		l.file.data[l.starts[i + 1] - 3] ^= 1;
		snapshot_deinit(&s);
	}
	buf_deinit(&l.file);
}

/* A damaged envelope: reading goes on at the next section. */
TEST(damaged_envelope)
{
	struct layout l;
	struct snapshot s;

	write_full(&l);
	l.file.data[l.starts[BTT_MODULES]] = 0xc1;
	read_part(&s, l.file.data, l.file.size);
	expect_true(has_warning(&s, "damaged", "offset"));
	expect_int((long long)s.modules.count, 0);
	expect_int((long long)s.threads.count, 3);
	expect_int((long long)s.memory.count, 2);
	expect_false(has_warning(&s, "cut", ""));
	snapshot_deinit(&s);
	buf_deinit(&l.file);
}

/* A section after the model's own changes: attributes and classifiers that
 * modules add, an attribute that changes, a fault found late. */
TEST(analysis_adds_to_process)
{
	struct snapshot s, back;
	struct btt_writer *w;
	struct buf file;

	snapshot_init(&s, SMALL_CAP);
	sample_stamp(&s);
	snapshot_attr_string(&s, "kept", "as it was");
	snapshot_attr_uint(&s, "changed", 1);
	snapshot_classifier(&s, "segv");
	w = btt_writer_create(&s);
	buf_init(&file, SMALL_CAP);
	assert_true(btt_write_header(w, &file, NULL));
	assert_true(btt_write_section(w, BTT_PROCESS, &file, NULL));
	snapshot_attr_uint(&s, "changed", 2);
	snapshot_attr_bool(&s, "late", true);
	snapshot_classifier(&s, "null");
	s.fault.present = true;
	s.fault.direction = "read";
	s.fingerprint = "00ff";
	*(const char **)vec_push(&s.callstack) = "main";
	assert_true(btt_write_section(w, BTT_ANALYSIS, &file, NULL));
	/* Nothing is new: nothing is written. */
	size_t before = file.size;
	assert_true(btt_write_section(w, BTT_ANALYSIS, &file, NULL));
	expect_int((long long)file.size, (long long)before);
	assert_true(btt_write_directory(NULL, 0, file.size, &file, NULL));
	btt_writer_destroy(w);

	read_part(&back, file.data, file.size);
	expect_false(back.partial);
	expect_int((long long)back.attributes.count, 3);
	expect_str(snapshot_attr_find(&back, "kept")->value.s, "as it was");
	expect_int((long long)snapshot_attr_find(&back, "changed")->value.u, 2);
	expect_true(snapshot_attr_find(&back, "late")->value.b);
	expect_int((long long)back.classifiers.count, 2);
	expect_str(back.fault.direction, "read");
	expect_str(back.fingerprint, "00ff");
	expect_str(back.callstack.items[0], "main");
	snapshot_deinit(&back);
	snapshot_deinit(&s);
	buf_deinit(&file);
}

TEST(warnings_of_the_supervisor_add_up)
{
	static const struct snap_warning more[] = {
	    {"worker", "died", "the worker died of SIGSEGV"},
	    {"unwind", "budget", "thread 79: gave up"}, /* said before */
	};
	struct layout l;
	struct snapshot s;

	write_full(&l);
	l.file.size = l.starts[l.count];
	assert_true(btt_write_warnings(more, 2, true, &l.file, NULL));
	assert_true(btt_write_directory(NULL, 0, l.file.size, &l.file, NULL));
	read_part(&s, l.file.data, l.file.size);
	expect_true(s.partial);
	expect_int((long long)s.warnings.count, 3);
	expect_str(s.warnings.items[2].text, "the worker died of SIGSEGV");
	snapshot_deinit(&s);
	buf_deinit(&l.file);
}

TEST(duplicate_section_is_ignored)
{
	struct layout l;
	struct snapshot s;
	size_t from, size;

	write_full(&l);
	from = l.starts[BTT_THREADS];
	size = l.starts[BTT_THREADS + 1] - from;
	l.file.size = l.starts[l.count];
	uint8_t *copy = malloc(size);
	memcpy(copy, l.file.data + from, size);
	buf_append(&l.file, copy, size);
	free(copy);
	read_part(&s, l.file.data, l.file.size);
	expect_int((long long)s.threads.count, 3);
	expect_true(has_warning(&s, "duplicate", "threads"));
	snapshot_deinit(&s);
	buf_deinit(&l.file);
}

/* ---- files made by hand ---- */

static void
put_header(struct buf *b, uint64_t version)
{
	buf_init(b, SMALL_CAP);
	mp_map(b, 3);
	mp_str(b, "format");
	mp_str(b, "btt");
	mp_str(b, "future");
	mp_array(b, 2);
	mp_nil(b);
	mp_float(b, 0.5);
	mp_str(b, "version");
	mp_uint(b, version);
}

/* An uncompressed section with this payload. */
static void
put_section(struct buf *b, const char *name, const struct buf *payload)
{
	mp_map(b, 6);
	mp_str(b, "section");
	mp_str(b, name);
	mp_str(b, "later");
	mp_bool(b, true);
	mp_str(b, "codec");
	mp_str(b, "none");
	mp_str(b, "size");
	mp_uint(b, payload->size);
	mp_str(b, "crc32c");
	mp_uint(b, crc32c(0, payload->data, payload->size));
	mp_str(b, "data");
	mp_bin(b, payload->data, payload->size);
}

TEST(not_a_snapshot)
{
	static const struct {
		const char *data;
		size_t size;
	} cases[] = {
	    {"", 0},
	    {"\x7f"
	     "ELF\x02",
		5},
	    {"\x80", 1}, /* an empty map */
	    {"\x81\xa6"
	     "format\xa3xxx",
		12}, /* another format */
	    {"\x81\xa6"
	     "format\x01",
		9},
	    {"\xdf\xff\xff\xff\xff", 5}, /* a map of four billion */
	    {"\xc1", 1},
	    {"{\"version\": 1}", 14},
	};
	struct snapshot s;
	struct buf b;
	bt_error_t e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snapshot_init(&s, SMALL_CAP);
		expect_code(btt_read(cases[i].data, cases[i].size, &s, &e), &e,
		    BT_E_FORMAT);
		snapshot_deinit(&s);
	}
	put_header(&b, 2);
	snapshot_init(&s, SMALL_CAP);
	expect_code(btt_read(b.data, b.size, &s, &e), &e, BT_E_UNSUPPORTED);
	expect_contains(e.text, "version 2");
	snapshot_deinit(&s);
	buf_deinit(&b);
	put_header(&b, 0);
	snapshot_init(&s, SMALL_CAP);
	expect_code(btt_read(b.data, b.size, &s, &e), &e, BT_E_FORMAT);
	snapshot_deinit(&s);
	buf_deinit(&b);
}

/* Sections and keys of a newer writer are passed over in silence. */
TEST(unknown_is_skipped)
{
	struct snapshot s;
	struct mp_table t, inner;
	struct buf b, payload;

	put_header(&b, 1);
	mp_map(&b, 1);
	mp_str(&b, "what is this");
	mp_array(&b, 0);
	buf_init(&payload, SMALL_CAP);
	mp_nil(&payload);
	put_section(&b, "from the future", &payload);
	buf_clear(&payload);
	mp_table_init(&t);
	mp_uint(mp_table_key(&t, "novelty"), 5);
	mp_table_init(&inner);
	mp_nil(mp_table_key(&inner, "odd")); /* no type we know */
	mp_str(mp_table_key(&inner, "plain"), "kept");
	mp_table_end(&inner, mp_table_key(&t, "attributes"));
	mp_table_end(&t, &payload);
	put_section(&b, "process", &payload);
	assert_true(btt_write_directory(NULL, 0, b.size, &b, NULL));
	read_part(&s, b.data, b.size);
	expect_int((long long)s.warnings.count, 0);
	expect_false(s.partial);
	expect_int((long long)s.attributes.count, 1);
	expect_str(snapshot_attr_find(&s, "plain")->value.s, "kept");
	snapshot_deinit(&s);
	buf_deinit(&payload);
	buf_deinit(&b);
}

/* Payloads that claim more than they have: the section is damaged, quickly. */
static void
expect_damaged(const char *section, const void *payload, size_t size)
{
	struct buf b, raw;
	struct snapshot s;

	put_header(&b, 1);
	buf_init(&raw, SMALL_CAP);
	buf_append(&raw, payload, size);
	put_section(&b, section, &raw);
	read_part(&s, b.data, b.size);
	if (!has_warning(&s, "damaged", section))
		fail("section %s was read", section);
	snapshot_deinit(&s);
	buf_deinit(&raw);
	buf_deinit(&b);
}

#define DAMAGED(SECTION, BYTES)                                                \
	expect_damaged(SECTION, BYTES, sizeof(BYTES) - 1)

TEST(claimed_counts)
{
	/* count: four billion, columns absent */
	DAMAGED("modules",
	    "\x81\xa7modules\x81\xa5"
	    "count\xce\xff\xff\xff\xff");
	DAMAGED("modules",
	    "\x81\xa8mappings\x81\xa5"
	    "count\xce\xff\xff\xff\xff");
	DAMAGED("threads",
	    "\x81\xa9locations\x81\xa5"
	    "count\xcf\xff\xff\xff\xff"
	    "\xff\xff\xff\xff");
	/* one stack of four billion frames */
	DAMAGED("threads",
	    "\x81\xa6stacks\x82\xa5"
	    "count\x01\xa4size\x91\xce"
	    "\xff\xff\xff\xff");
	/* a column of another length than its table */
	DAMAGED("modules",
	    "\x81\xa7modules\x82\xa5"
	    "count\x02\xa4path\x91\x00");
	/* a string that is not there */
	DAMAGED("modules",
	    "\x81\xa7modules\x82\xa5"
	    "count\x01\xa4path\x91\x07");
	/* nesting */
	DAMAGED("process",
	    "\x81\xa1x\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
	    "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01");
	DAMAGED("memory",
	    "\x81\xa5"
	    "count\x05");
	DAMAGED("resources",
	    "\x81\xa5"
	    "count\x01");
	DAMAGED("objects", "\x80");
	DAMAGED("warnings", "\x81\xa8warnings\x91\x91\xa1x");
	DAMAGED("process",
	    "\x81\xab"
	    "environment\x91\x91\xa1x");
	DAMAGED("process",
	    "\x81\xab"
	    "environment\x92\x92\xa1x\xa1y");
	DAMAGED("process",
	    "\x81\xa6"
	    "limits\x91\x93\xa1x\xa1y\x01");
	DAMAGED("process",
	    "\x81\xa6"
	    "limits\x91\x94\xa1x\xa1y\x01\xa1z");
	DAMAGED("process",
	    "\x81\xab"
	    "descriptors\x91\x92\xa1x\xa1y");
	DAMAGED("process",
	    "\x81\xab"
	    "descriptors\xdd\xff\xff\xff\xff");
	DAMAGED("process", "\xc0");
	DAMAGED("process", "");
	DAMAGED("analysis",
	    "\x81\xa8"
	    "findings\x91\x05");
	DAMAGED("analysis",
	    "\x81\xab"
	    "annotations\x91\x91\x05");
	DAMAGED("variables", "\x80");
}

/* Shapes that hold themselves, and shapes that hold each other twice: 2^40
 * variables from 400 bytes. */
static void
put_shapes(struct buf *payload, unsigned n, bool cyclic)
{
	struct mp_column list, size, shape, roots;
	struct mp_table t, shapes, lists, values;

	mp_table_init(&t);
	mp_column_init(&list);
	mp_column_init(&size);
	mp_column_init(&shape);
	for (unsigned i = 0; i < n; i++) {
		mp_column_uint(&list, cyclic ? i + 1 : i);
		mp_column_uint(&size, 2);
		/* Both elements are shape i: differences 1 (or 0), 0. */
		mp_column_int(&shape, i > 0);
		mp_column_int(&shape, 0);
	}
	mp_table_init(&shapes);
	mp_uint(mp_table_key(&shapes, "count"), n);
	mp_column_end(&list, &shapes, "list");
	mp_table_end(&shapes, mp_table_key(&t, "shapes"));
	mp_table_init(&lists);
	mp_uint(mp_table_key(&lists, "count"), n);
	mp_column_end(&size, &lists, "size");
	mp_column_end(&shape, &lists, "shape");
	mp_table_end(&lists, mp_table_key(&t, "lists"));
	mp_table_init(&values);
	mp_table_end(&values, mp_table_key(&t, "values"));
	mp_column_init(&roots);
	mp_column_uint(&roots, n);
	mp_column_end(&roots, &t, "roots");
	buf_init(payload, SMALL_CAP);
	mp_table_end(&t, payload);
}

TEST(hostile_shapes)
{
	struct buf payload;

	put_shapes(&payload, 40, false); /* too deep */
	expect_damaged("objects", payload.data, payload.size);
	buf_deinit(&payload);
	put_shapes(&payload, 24, false); /* 2^24 variables: over the cap */
	expect_damaged("objects", payload.data, payload.size);
	buf_deinit(&payload);
	put_shapes(&payload, 3, true);
	expect_damaged("objects", payload.data, payload.size);
	buf_deinit(&payload);
}

/* 100 bytes that unpack to 900 MB of zeros are refused or cost no more than
 * that, and lies about the size are found. */
TEST(hostile_compression)
{
	size_t raw = 64 << 20, bound = ZSTD_compressBound(raw), size;
	void *zeros = calloc(1, raw), *packed = malloc(bound);
	struct snapshot s;
	struct buf b;

	size = ZSTD_compress(packed, bound, zeros, raw, 3);
	for (int lie = 0; lie < 3; lie++) {
		put_header(&b, 1);
		mp_map(&b, 5);
		mp_str(&b, "section");
		mp_str(&b, "memory");
		mp_str(&b, "codec");
		mp_str(&b, lie == 2 ? "lzma" : "zstd");
		mp_str(&b, "size");
		mp_uint(&b, lie == 1 ? UINT64_C(1) << 40 : raw - 1);
		mp_str(&b, "crc32c");
		mp_uint(&b, crc32c(0, packed, size));
		mp_str(&b, "data");
		mp_bin(&b, packed, size);
		read_part(&s, b.data, b.size);
		expect_true(has_warning(&s, "damaged",
		    lie == 0	   ? "size is wrong"
			: lie == 1 ? "too large"
				   : "codec"));
		snapshot_deinit(&s);
		buf_deinit(&b);
	}
	free(zeros);
	free(packed);
}

/* Beginnings of sections that are none, each with an array that seems to hold
 * all the rest: quadratic unless the reader gives up. */
TEST_WITHIN(false_beginnings, 10)
{
	static const char begin[] = "\x8f\xa7section\xdd\x00\x0f\x00\x00";
	struct snapshot s;
	struct buf b;

	put_header(&b, 1);
	for (int i = 0; i < 200000; i++)
		buf_append(&b, begin, sizeof(begin) - 1);
	read_part(&s, b.data, b.size);
	expect_true(s.partial);
	expect_true(has_warning(&s, "cut", ""));
	snapshot_deinit(&s);
	buf_deinit(&b);
}

/* ---- mutations ---- */

static uint64_t
next_random(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return map_mix(*state);
}

static void
mutate(uint8_t *data, size_t size, uint64_t *random)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0x90, 0xc0, 0xc1,
	    0xc4, 0xcf, 0xd9, 0xdc, 0xdd, 0xdf, 0xe0, 0xff};
	uint64_t n = 1 + next_random(random) % 4;

	while (n-- > 0) {
		size_t at = (size_t)(next_random(random) % size);
		uint64_t how = next_random(random) % 3;

		if (how == 0)
			data[at] ^= (uint8_t)(1 << next_random(random) % 8);
		else if (how == 1)
			data[at] = values[next_random(random) % sizeof(values)];
		else
			data[at] = (uint8_t)next_random(random);
	}
}

static void
read_whatever(const void *data, size_t size)
{
	struct snapshot s;
	struct buf json;
	bt_error_t e;

	snapshot_init(&s, (size_t)4 << 20);
	if (btt_read(data, size, &s, &e)) {
		buf_init(&json, (size_t)64 << 20);
		json_write(&s, true, &json);
		/* The last byte is the newline. */
		if (!json.failed &&
		    !json_valid((const char *)json.data, json.size - 1))
			fail("the document of a mutant is not JSON");
		buf_deinit(&json);
	}
	snapshot_deinit(&s);
}

/* Bytes of the file changed: mostly the checksum finds it. */
TEST_WITHIN(mutated_files, 60)
{
	struct layout l;
	uint64_t random = 1;
	uint8_t *copy;

	write_full(&l);
	copy = malloc(l.file.size);
	for (int i = 0; i < 1500; i++) {
		memcpy(copy, l.file.data, l.file.size);
		mutate(copy, l.file.size, &random);
		read_whatever(copy, l.file.size);
	}
	free(copy);
	buf_deinit(&l.file);
}

/* The payload of a section of the file, unpacked. */
static void
payload_of(const struct layout *l, size_t i, struct buf *out)
{
	struct view v = view_of(
	    l->file.data + l->starts[i], l->file.size - l->starts[i]);
	struct mp_fields f;
	struct view data, size;
	const char *bytes;
	size_t len, raw;

	assert_true(mp_read_fields(&v, &f));
	data = mp_field(&f, "data");
	size = mp_field(&f, "size");
	bytes = mp_read_text(&data, &len);
	raw = (size_t)mp_read_uint(&size);
	buf_init(out, SMALL_CAP);
	if (raw == len)
		buf_append(out, bytes, len);
	else
		assert_uint(
		    ZSTD_decompress(buf_extend(out, raw), raw, bytes, len),
		    raw);
}

/* Payloads changed under a right checksum: the readers of all sections are on
 * their own. The sections before stay as they are, so that places exist. */
TEST_WITHIN(mutated_payloads, 120)
{
	struct layout l;
	uint64_t random = 2;

	write_full(&l);
	for (size_t i = 0; i < l.count; i++) {
		struct buf payload, file, copy;

		payload_of(&l, i, &payload);
		buf_init(&file, SMALL_CAP);
		buf_init(&copy, SMALL_CAP);
		for (int k = 0; k < 600; k++) {
			size_t size = payload.size;

			buf_clear(&copy);
			if (k % 4 == 0)
				size = (size_t)(next_random(&random) % size);
			buf_append(&copy, payload.data, size);
			if (size > 0)
				mutate(copy.data, copy.size, &random);
			buf_clear(&file);
			buf_append(&file, l.file.data, l.starts[i]);
			put_section(&file,
			    btt_section_name((enum btt_section)i), &copy);
			buf_append(&file, l.file.data + l.starts[i + 1],
			    l.file.size - l.starts[i + 1]);
			read_whatever(file.data, file.size);
		}
		buf_deinit(&payload);
		buf_deinit(&file);
		buf_deinit(&copy);
	}
	buf_deinit(&l.file);
}

/* ---- sizes and limits ---- */

static size_t
size_of_many(uint32_t threads, uint32_t depth, uint32_t variables)
{
	struct snapshot s;
	struct buf file;
	size_t size;

	snapshot_init(&s, SAMPLE_CAP);
	sample_many(&s, threads, depth, variables);
	sample_write(&s, &file);
	size = file.size;
	buf_deinit(&file);
	snapshot_deinit(&s);
	return size;
}

TEST_WITHIN(thousand_threads_cost_little_more_than_one, 60)
{
	size_t one = size_of_many(1, 35, 9), many = size_of_many(1000, 35, 9);

	if (many > 2 * one)
		fail("1 thread: %zu bytes, 1000 threads: %zu", one, many);
}

/* A section that does not fit is left out, and writing goes on. */
TEST(section_over_the_cap)
{
	struct snapshot s;
	struct btt_writer *w;
	struct buf out;
	bt_error_t e;
	size_t before;

	snapshot_init(&s, SAMPLE_CAP);
	sample_full(&s);
	w = btt_writer_create(&s);
	buf_init(&out, 820);
	assert_ok(btt_write_header(w, &out, &e), &e);
	assert_ok(btt_write_section(w, BTT_PROCESS, &out, &e), &e);
	before = out.size;
	expect_code(
	    btt_write_section(w, BTT_THREADS, &out, &e), &e, BT_E_LIMIT);
	expect_contains(e.text, "threads");
	expect_int((long long)out.size, (long long)before);
	expect_ok(btt_write_section(w, BTT_MEMORY, &out, &e), &e);
	btt_writer_destroy(w);
	snapshot_deinit(&s);

	read_part(&s, out.data, out.size);
	expect_int((long long)s.memory.count, 2);
	expect_true(s.signal.present);
	snapshot_deinit(&s);
	buf_deinit(&out);
}

/* Memory runs out at every place in turn: an error or a whole file, never a
 * crash, never a file that does not read. */
TEST_WITHIN(allocations_fail, 60)
{
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	sample_full(&s);
	for (size_t allowed = 0;; allowed++) {
		struct btt_writer *w;
		struct buf out;
		bool refused;

		buf_init(&out, SMALL_CAP);
		test_alloc_allow(allowed);
		w = btt_writer_create(&s);
		for (int i = 0; w != NULL && i < BTT_SECTION__COUNT; i++) {
			out.failed = false;
			if (i == 0 && !btt_write_header(w, &out, NULL))
				break;
			(void)btt_write_section(
			    w, (enum btt_section)i, &out, NULL);
		}
		refused = test_alloc_restore();
		btt_writer_destroy(w);
		read_whatever(out.data, out.size);
		buf_deinit(&out);
		if (!refused)
			break;
	}
	snapshot_deinit(&s);
}

TEST_WITHIN(allocations_fail_while_reading, 60)
{
	struct layout l;
	bool refused = true;

	write_full(&l);
	for (size_t allowed = 0; refused; allowed++) {
		struct snapshot s;
		bt_error_t e;

		snapshot_init(&s, SMALL_CAP);
		test_alloc_allow(allowed);
		bool ok = btt_read(l.file.data, l.file.size, &s, &e);
		refused = test_alloc_restore();
		if (ok && !refused)
			expect_false(has_warning(&s, "damaged", ""));
		if (!refused)
			expect_int((long long)s.threads.count, ok ? 3 : 0);
		snapshot_deinit(&s);
	}
	buf_deinit(&l.file);
}

/* An arena too small for the file: a partial snapshot with a warning. */
TEST(small_arena)
{
	struct layout l;
	struct snapshot s;
	bt_error_t e;

	write_full(&l);
	for (size_t cap = 256; cap < 65536; cap += 256) {
		snapshot_init(&s, cap);
		if (btt_read(l.file.data, l.file.size, &s, &e) &&
		    s.threads.count < 3)
			expect_true(s.partial);
		snapshot_deinit(&s);
	}
	buf_deinit(&l.file);
}

/* Files of every released version read for ever: tests/golden/README.md. */
TEST(golden)
{
	static const char *const names[] = {"v1", "v1-threads", "v1-extremes"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512];
		size_t size, want_size;
		struct snapshot s;
		struct buf json;
		char *data, *want;

		snprintf(path, sizeof(path), "%s/tests/golden/%s.btt",
		    TEST_SOURCE_DIR, names[i]);
		data = test_read_file(path, &size);
		snprintf(path, sizeof(path), "%s/tests/golden/%s.json",
		    TEST_SOURCE_DIR, names[i]);
		want = test_read_file(path, &want_size);
		read_part(&s, data, size);
		sample_json(&s, &json);
		expect_str(buf_text(&json), want);
		expect_false(has_warning(&s, "damaged", ""));
		snapshot_deinit(&s);
		buf_deinit(&json);
		free(data);
		free(want);
	}
}

TEST(section_names)
{
	expect_str(btt_section_name(BTT_PROCESS), "process");
	expect_str(btt_section_name(BTT_WARNINGS), "warnings");
	expect_str(btt_section_name(BTT_SECTION__COUNT), "");
}

/* SPDX-License-Identifier: MIT */
/*
 * What a snapshot says of the heap: blocks that pointers point into, by the
 * pointers' values, and the allocators; written, read, shown.
 */
#include "formats/btt.h"
#include "formats/json.h"
#include "formats/text.h"

#include "base/buf.h"
#include "harness/test.h"
#include "snapshot/model.h"

static struct snapshot made, got;
static struct buf file, out;

static void
point(uint64_t address, bool allocated, uint64_t size, uint64_t offset,
    const char *place)
{
	struct snap_pointed *p = vec_push(&made.pointed);

	assert_true(p != NULL);
	p->address = address;
	p->heap = (struct snap_heap){.allocated = allocated,
	    .size = size,
	    .offset = offset,
	    .place = place};
	p->owner = allocated ? "main arena" : NULL;
}

static void
pointer(struct snap_variable *v, const char *name, uint64_t value)
{
	v->name = name;
	v->type = "char *";
	v->kind = SNAP_POINTER;
	v->flags = SNAP_VAR_VALUE;
	v->value.u = value;
}

static void
build(const char *heap)
{
	struct snap_variable *v;

	assert_true(snapshot_init(&made, 8 << 20));
	assert_true(snapshot_init(&got, 8 << 20));
	for (int i = 0; i < 4; i++) {
		v = vec_push(&made.globals);
		memset(v, 0, sizeof(*v));
		v->name = v->type = "";
	}
	v = made.globals.items;
	pointer(&v[0], "used", 0x1000);
	pointer(&v[1], "freed", 0x2010);
	pointer(&v[2], "none", 0x3000);
	pointer(&v[3], "number", 0x1000);
	v[3].kind = SNAP_UINT;
	point(0x1000, true, 24, 0, NULL);
	point(0x2010, false, 100, 16, "tcache of thread 7");
	point(0x7fffffffffff, false, 1, 0, NULL);
	if (heap != NULL)
		*(const char **)vec_push(&made.heap) = heap;
	buf_init(&file, 1 << 20);
	buf_init(&out, 1 << 20);
}

static void
write_and_read(void)
{
	struct btt_writer *w = btt_writer_create(&made);
	bt_error_t e;

	assert_true(w != NULL);
	assert_ok(btt_write_header(w, &file, &e), &e);
	for (int i = 0; i < BTT_SECTION__COUNT; i++)
		assert_ok(
		    btt_write_section(w, (enum btt_section)i, &file, &e), &e);
	btt_writer_destroy(w);
	assert_ok(btt_write_directory(NULL, 0, file.size, &file, &e), &e);
	assert_ok(btt_read(file.data, file.size, &got, &e), &e);
}

static void
end(void)
{

	snapshot_deinit(&made);
	snapshot_deinit(&got);
	buf_deinit(&file);
	buf_deinit(&out);
}

TEST(by_value)
{
	const struct snap_heap *h;

	build(NULL);
	write_and_read();
	expect_uint(got.pointed.count, 3);
	h = snapshot_heap_of(&got, &got.globals.items[0]);
	assert_true(h != NULL);
	expect_true(h->allocated && h->place == NULL);
	expect_uint(h->size, 24);
	expect_str(
	    snapshot_heap_owner(&got, &got.globals.items[0]), "main arena");
	expect_true(snapshot_heap_owner(&got, &got.globals.items[1]) == NULL);
	h = snapshot_heap_of(&got, &got.globals.items[1]);
	assert_true(h != NULL);
	expect_true(h->allocated == false);
	expect_uint(h->size, 100);
	expect_uint(h->offset, 16);
	expect_str(h->place, "tcache of thread 7");
	expect_true(snapshot_heap_of(&got, &got.globals.items[2]) == NULL);
	/* A number is no pointer, whatever its value. */
	expect_true(snapshot_heap_of(&got, &got.globals.items[3]) == NULL);
	end();
}

/* Places are texts of a short list; what finds no room there is not told. */
TEST(many_places)
{
	char text[400][8];

	build(NULL);
	made.pointed.count = 0;
	for (unsigned i = 0; i < 400; i++) {
		snprintf(text[i], sizeof(text[i]), "p%u", i);
		point(0x1000 + i * 16, false, 8, 0, text[i]);
	}
	write_and_read();
	expect_uint(got.pointed.count, 400);
	for (unsigned i = 0; i < 400; i++) {
		const struct snap_heap *h = &got.pointed.items[i].heap;

		expect_true(h->allocated == false);
		if (i < POINTED_PLACES)
			expect_str(h->place, text[i]);
		else
			expect_true(h->place == NULL);
	}
	end();
}

static const char one[] =
    "{\"allocator\":\"ptmalloc\",\"version\":\"glibc \\\"2\\\"\",\"malloc\":"
    "true,\"complete\":false,\"allocated\":{\"blocks\":3,\"bytes\":70000},"
    "\"free\":{\"blocks\":1,\"bytes\":24},\"cached\":{\"blocks\":0,\"bytes\":"
    "0},\"anomalies\":[{\"check\":\"size\",\"transient\":false,\"text\":"
    "\"wrong, [{\"},{\"text\":\"passing\",\"transient\":true}],"
    "\"anomaly_count\":9}";

TEST(shown)
{
	struct text_options o = {.variables = true, .width = 100};

	build(one);
	write_and_read();
	text_report(&got, &o, &out);
	expect_contains(buf_text(&out),
	    "  heap: ptmalloc (glibc \\\"2\\\"), 3 blocks (68 KiB) in use, "
	    "1 block (24 bytes) free, 9 things wrong\n"
	    "    - wrong, [{\n"
	    "    - and 8 more\n");
	expect_contains(
	    buf_text(&out), "used = 0x1000 [heap block of 24, main arena]");
	expect_contains(buf_text(&out),
	    "freed = 0x2010 [FREED block of 100, at +16, in tcache of thread "
	    "7]");
	expect_contains(buf_text(&out), "none = 0x3000\n");
	buf_clear(&out);
	json_write(&got, true, &out);
	expect_contains(buf_text(&out),
	    "\"heap\":{\"state\":\"freed\",\"size\":100,\"offset\":16,"
	    "\"place\":\"tcache of thread 7\"}");
	end();
}

/* Whatever modules add to the list stays what it is. */
TEST(other_shapes)
{
	static const char *const texts[] = {"{}", "{\"allocator\":1}", "[]",
	    "1", "{\"allocator\":\"x\"}",
	    "{\"allocator\":\"x\",\"allocated\":[]}", "not json", "",
	    "{\"a\":\"\\\"}", "{\"allocated\":{}"};
	struct text_options o = {.details = true, .width = 100};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		build(texts[i]);
		text_report(&made, &o, &out);
		expect_true(strstr(buf_text(&out), "  heap: ") == NULL);
		expect_contains(buf_text(&out), "Heap:");
		end();
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Samples for readers in other languages: with SNAPSHOT_SAMPLES=DIR each test
 * writes NAME.btt and NAME.json there (tests/formats/read_btt.py compares
 * them); without, it only shows that reading back gives the same document.
 */
#include "harness/test.h"
#include "unit/snapshot_sample.h"

static void
save(const char *dir, const char *name, const char *suffix, struct buf *b)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	test_write_file(path, b->data, b->size);
}

static void
check(struct snapshot *s, const char *name)
{
	const char *dir = getenv("SNAPSHOT_SAMPLES");
	struct buf file, json, again;
	struct snapshot back;
	bt_error_t e;

	sample_write(s, &file);
	sample_json(s, &json);
	assert_true(snapshot_init(&back, SAMPLE_CAP));
	assert_ok(btt_read(file.data, file.size, &back, &e), &e);
	sample_json(&back, &again);
	expect_str(buf_text(&again), buf_text(&json));
	if (dir != NULL) {
		save(dir, name, ".btt", &file);
		save(dir, name, ".json", &json);
	}
	snapshot_deinit(&back);
	buf_deinit(&file);
	buf_deinit(&json);
	buf_deinit(&again);
	snapshot_deinit(s);
}

TEST(full)
{
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	sample_full(&s);
	check(&s, "full");
}

TEST(empty)
{
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	sample_stamp(&s);
	check(&s, "empty");
}

TEST(many_threads)
{
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	sample_many(&s, 40, 12, 7);
	check(&s, "many");
}

/* In no order, with stacks, registers and variables of different shapes. */
TEST(shuffled_threads)
{
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	sample_many(&s, 30, 5, 3);
	for (uint32_t i = 0; i < 30; i++) {
		struct snap_thread *t = &s.threads.items[i];

		t->n_frames = 1 + i % 5;
		t->n_registers = i % 3 == 0 ? 7 : i % 3 == 1 ? 4 : 0;
		t->registers[0].value = i;
	}
	s.threads.items[7].tid = s.threads.items[8].tid;
	s.threads.items[9].fault = true;
	sample_shuffle(&s);
	check(&s, "shuffled");
}

/* Values that lie as far from each other as values can. */
TEST(extremes)
{
	static const uint64_t values[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63,
	    0, 42, UINT64_MAX >> 1, 0, 0, UINT64_C(1) << 53,
	    (UINT64_C(1) << 53) - 1};
	enum { COUNT = sizeof(values) / sizeof(values[0]) };
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	sample_stamp(&s);
	for (unsigned i = 0; i < COUNT; i++) {
		struct snap_thread *t = vec_push(&s.threads);
		struct snap_variable *v = sample_variables(&s, 4);

		t->tid = (uint32_t)values[i];
		t->name = t->stop_reason = "";
		t->frames = arena_alloc(&s.arena, sizeof(*t->frames));
		t->n_frames = 1;
		t->frames[0] = (struct snap_frame){
		    .ip = values[i], .sp = values[i], .has_sp = i % 3 != 0};
		t->frames[0].variables = v;
		t->frames[0].n_variables = 4;
		t->frames[0].variables_collected = true;
		if (i % 3 == 0)
			t->frames[0].sp = 0;
		sample_value(sample_set(&s, &v[0], SNAP_INT, "long", "i",
				 values[COUNT - 1 - i] | 1),
		    values[i]);
		sample_value(
		    sample_set(&s, &v[1], SNAP_UINT, "unsigned long", "u", 1),
		    values[i]);
		sample_value(
		    sample_set(&s, &v[2], SNAP_POINTER, "void *", "p", 2),
		    values[i]);
		sample_text(&s, &v[2], "\xff\xfe", i % 3);
		sample_value(
		    sample_set(&s, &v[3], SNAP_FLOAT, "double", "f", 3),
		    values[i]);
		*(struct snap_mapping *)vec_push(&s.mappings) =
		    (struct snap_mapping){values[i], values[(i + 1) % COUNT],
			values[i], "r\xffxp", i % 2 ? "/a" : ""};
		*(struct snap_module *)vec_push(&s.modules) =
		    (struct snap_module){"/a\xff", i % 2 ? "0g" : "abc",
			values[i], values[COUNT - 1 - i], "none", ""};
	}
	check(&s, "extremes");
}

/* As deep as the model allows, and one level more, which is left out. */
TEST(deep)
{
	struct snapshot s;
	struct snap_variable *v;

	snapshot_init(&s, SAMPLE_CAP);
	sample_stamp(&s);
	v = vec_push(&s.globals);
	for (int i = 0; i < SNAP_MAX_DEPTH + 3; i++) {
		sample_set(&s, v, SNAP_STRUCT, "struct nest", "nest", 0x1000);
		v->children = sample_variables(&s, 1);
		v->n_children = 1;
		v = v->children;
	}
	sample_value(sample_set(&s, v, SNAP_INT, "int", "egg", 0), 1);
	check(&s, "deep");
}

/* SPDX-License-Identifier: MIT */
/*
 * Packed variables: what comes out is what went in, frames that are alike
 * share a template, and what modules and writers see of a packed frame is what
 * they see of its nodes.
 */
#include "harness/test.h"
#include "same_variables.h"
#include "snapshot/pack.h"

enum { KINDS = 12 };

/* Everything that a variable can have, at an address. */
static void
fill(struct snap_variable *v, struct snap_variable *parts, uint64_t base)
{
	static const char text[] = "some\0text";

	memset(v, 0, 3 * sizeof(*v));
	memset(parts, 0, KINDS * sizeof(*parts));
	v[0] = (struct snap_variable){.name = "all",
	    .type = "struct all",
	    .kind = SNAP_STRUCT,
	    .flags = SNAP_VAR_ADDRESS | SNAP_VAR_PARAMETER,
	    .address = base,
	    .n_children = KINDS - 2,
	    .children = parts};
	for (unsigned i = 0; i < KINDS; i++) {
		parts[i].name = "part";
		parts[i].type = "int";
		parts[i].kind = SNAP_INT;
		parts[i].flags = SNAP_VAR_ADDRESS | SNAP_VAR_VALUE;
		parts[i].address = base + 8 * i;
		parts[i].value.i = -(int64_t)(base + i);
	}
	parts[1].kind = SNAP_COMPLEX;
	parts[1].value.complex_parts[0] = 1.5;
	parts[1].value.complex_parts[1] = -2.5 * (double)base;
	parts[2].number = "340282366920938463463374607431768211455";
	parts[3].kind = SNAP_STRING;
	parts[3].flags = SNAP_VAR_ADDRESS | SNAP_VAR_STRING | SNAP_VAR_LENGTH |
	    SNAP_VAR_TRUNCATED;
	parts[3].value.u = 0;
	parts[3].string = text;
	parts[3].string_size = sizeof(text) - 1;
	parts[3].length = 4000 + base;
	parts[4].kind = SNAP_POINTER;
	parts[4].value.u = base + 4096;
	parts[4].object = 7;
	parts[5].kind = SNAP_POINTER;
	parts[5].flags |= SNAP_VAR_HEAP;
	parts[5].value.u = base + 5000;
	parts[5].heap.allocated = true;
	parts[5].heap.size = 48;
	parts[5].heap.offset = base & 0xff;
	parts[5].heap.place = "somewhere";
	parts[6].kind = SNAP_UNAVAILABLE;
	parts[6].flags = SNAP_VAR_ADDRESS;
	parts[6].value.u = 0;
	parts[6].reason = "unreadable";
	parts[7].kind = SNAP_ARRAY;
	parts[7].flags = SNAP_VAR_ADDRESS;
	parts[7].value.u = 0;
	parts[7].n_children = 2;
	parts[7].children = &parts[KINDS - 2];
	v[1] = (struct snap_variable){.name = "in_register",
	    .type = "double",
	    .kind = SNAP_FLOAT,
	    .flags = SNAP_VAR_VALUE};
	v[1].value.f = 0.25 + (double)base;
	v[2] = (struct snap_variable){.name = "gone",
	    .type = "long",
	    .kind = SNAP_UNAVAILABLE,
	    .reason = "optimized out"};
}

struct fixture {
	struct snapshot s;
	struct snap_packer packer;
	struct snap_templates known;
};

static void
begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	assert_true(snapshot_init(&f->s, 64 << 20));
	snap_packer_init(&f->packer, &f->s.arena);
}

static void
end(struct fixture *f)
{
	snap_packer_deinit(&f->packer);
	snapshot_deinit(&f->s);
}

TEST(comes_back_as_it_was)
{
	struct snap_variable v[3], parts[KINDS];
	struct snap_frame frame;
	struct fixture f;

	begin(&f);
	for (uint64_t base = 4096; base < 4096 * 20; base += 4096) {
		fill(v, parts, base);
		frame = (struct snap_frame){.variables_collected = true};
		frame.packed = snap_pack(&f.packer, &f.known, v, 3);
		assert_true(frame.packed != NULL);
		expect_int(snap_frame_count(&frame), 3);
		snapshot_unpack(&f.s, &frame);
		expect_true(frame.packed == NULL);
		assert_int(frame.n_variables, 3);
		expect_true(same_variables(frame.variables, v, 3));
	}
	/* All of them were alike. */
	expect_true(f.known.items[0] != NULL);
	expect_true(f.known.items[1] == NULL);
	end(&f);
}

/* Whatever makes a variable another one makes another template. */
TEST(what_differs_is_not_confused)
{
	enum { CHANGES = 9 };
	struct snap_variable v[3], parts[KINDS];
	struct fixture f;

	begin(&f);
	for (int i = 0; i < CHANGES * 2; i++) {
		struct snap_frame frame = {.variables_collected = true};

		fill(v, parts, 4096);
		switch (i % CHANGES) {
		case 1:
			parts[0].name = "other";
			break;
		case 2:
			parts[0].type = "long";
			break;
		case 3:
			parts[0].kind = SNAP_UINT;
			break;
		case 4:
			parts[3].flags &= (uint16_t)~SNAP_VAR_STRING;
			parts[3].string = NULL;
			parts[3].string_size = 0;
			break;
		case 5:
			parts[7].n_children = 1;
			break;
		case 6:
			parts[4].object = 0;
			break;
		case 7:
			parts[5].heap.allocated = false;
			break;
		case 8:
			/* A reference's referent lies elsewhere. */
			parts[0].address = 0x7000 + (uint64_t)i;
			break;
		default:
			break;
		}
		frame.packed = snap_pack(&f.packer, &f.known, v, 3);
		assert_true(frame.packed != NULL);
		snapshot_unpack(&f.s, &frame);
		expect_true(same_variables(frame.variables, v, 3));
	}
	end(&f);
}

/* Parts whose distances differ from frame to frame need one more template, not
 * one for each frame. */
TEST(wandering_parts_share_a_template)
{
	const struct snap_template *second = NULL;
	struct snap_variable v[3], parts[KINDS];
	struct fixture f;

	begin(&f);
	for (uint64_t i = 0; i < 100; i++) {
		const struct snap_packed *p;

		fill(v, parts, 4096);
		parts[0].address = 0x10000 + i * 40;
		p = snap_pack(&f.packer, &f.known, v, 3);
		assert_true(p != NULL);
		if (i == 1)
			second = p->template;
		if (i > 1)
			expect_true(p->template == second);
	}
	end(&f);
}

static bool
add(void *ctx, uint64_t value)
{
	uint64_t *sum = ctx;

	*sum += value;
	return true;
}

static bool
stop(void *ctx, uint64_t value)
{
	uint64_t *first = ctx;

	*first = value;
	return false;
}

TEST(pointers_of_a_row)
{
	struct snap_variable v[3], parts[KINDS];
	const struct snap_packed *p;
	struct fixture f;
	uint64_t sum = 0;

	begin(&f);
	fill(v, parts, 8192);
	p = snap_pack(&f.packer, &f.known, v, 3);
	assert_true(p != NULL);
	expect_true(snap_packed_pointers(p, add, &sum));
	expect_int(sum, 8192 + 4096 + 8192 + 5000);
	expect_true(snap_packed_pointers(p, stop, &sum) == false);
	expect_int(sum, 8192 + 4096);
	end(&f);
}

/* As deep as snapshots go, and no deeper. */
TEST(depth_ends)
{
	enum { LEVELS = SNAP_MAX_DEPTH + 5 };
	struct snap_variable v[LEVELS];
	struct snap_frame frame = {.variables_collected = true};
	const struct snap_variable *at;
	struct fixture f;
	int depth = 0;

	begin(&f);
	memset(v, 0, sizeof(v));
	for (int i = 0; i < LEVELS; i++) {
		v[i].name = "level";
		v[i].type = "struct level";
		v[i].kind = SNAP_STRUCT;
		if (i + 1 < LEVELS) {
			v[i].n_children = 1;
			v[i].children = &v[i + 1];
		}
	}
	frame.packed = snap_pack(&f.packer, &f.known, v, 1);
	assert_true(frame.packed != NULL);
	snapshot_unpack(&f.s, &frame);
	for (at = frame.variables; at->n_children != 0; at = at->children)
		depth++;
	expect_int(depth, SNAP_MAX_DEPTH);
	end(&f);
}

TEST(no_room)
{
	struct snap_variable v[3], parts[KINDS];
	struct snap_frame frame = {.variables_collected = true};
	struct fixture f;

	begin(&f);
	fill(v, parts, 4096);
	frame.packed = snap_pack(&f.packer, &f.known, v, 3);
	assert_true(frame.packed != NULL);
	f.s.arena.cap = f.s.arena.used + 16;
	expect_true(snap_pack(&f.packer, &f.known, v, 3) == NULL);
	expect_true(snap_pack(&f.packer, &f.known, v, 2) == NULL);
	/* Then there are none, and the frame says so. */
	snapshot_unpack(&f.s, &frame);
	expect_int(frame.n_variables, 0);
	expect_true(frame.variables_collected == false);
	/* One that is not packed stays as it is. */
	frame = (struct snap_frame){.n_variables = 3, .variables = v};
	snapshot_unpack(&f.s, &frame);
	expect_true(frame.variables == v);
	expect_int(snap_frame_count(&frame), 3);
	end(&f);
}

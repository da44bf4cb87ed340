/* SPDX-License-Identifier: MIT */
/*
 * Sections by a second thread: in the order in which they came, the same bytes
 * as without it, whatever the snapshot becomes meanwhile; and what cannot be
 * written holds up those behind it until somebody has seen to it. (On a machine
 * with one processor there is no thread.)
 */
#include "harness/test.h"
#include "session/scribe.h"
#include "unit/snapshot_sample.h"
#include <pthread.h>
#include <unistd.h>

enum { OUT_CAP = 64 << 20, LOCATIONS = 5000 };

struct desk {
	struct snapshot s;
	struct btt_writer *writer;
	struct scribe *scribe; /* NULL: one processor */
	/* The other thread's, until scribe_wait has said NULL. */
	enum btt_section done[32];
	size_t n_done;
	bool refuses[BTT_SECTION__COUNT];
	struct buf out;
};

static bool
write_part(void *ctx, struct btt_part *p)
{
	struct desk *d = ctx;
	enum btt_section section = btt_part_section(p);

	if (d->refuses[section])
		return false;
	usleep(1000);
	d->done[d->n_done++] = section;
	return btt_part_write(p, &d->out, NULL);
}

static void
begin(struct desk *d)
{
	memset(d, 0, sizeof(*d));
	assert_true(snapshot_init(&d->s, SAMPLE_CAP));
	sample_full(&d->s);
	buf_init(&d->out, OUT_CAP);
	d->writer = btt_writer_create(&d->s);
	d->scribe = scribe_new(write_part, d);
	assert_not_null(d->writer);
}

static void
end(struct desk *d)
{

	scribe_free(d->scribe);
	btt_writer_destroy(d->writer);
	buf_deinit(&d->out);
	snapshot_deinit(&d->s);
}

static bool
post(struct desk *d, enum btt_section section)
{
	struct btt_part *p = btt_part_take(d->writer, section);

	assert_not_null(p);
	if (scribe_post(d->scribe, p))
		return true;
	btt_part_destroy(p);
	return false;
}

TEST(in_their_order)
{
	struct desk d;

	begin(&d);
	expect_false(scribe_is_busy(d.scribe));
	for (int i = 0; d.scribe != NULL && i < BTT_SECTION__COUNT; i++)
		assert_true(post(&d, (enum btt_section)i));
	assert_null(scribe_wait(d.scribe));
	expect_false(scribe_is_busy(d.scribe));
	for (size_t i = 0; d.scribe != NULL && i < BTT_SECTION__COUNT; i++)
		expect_int(d.done[i], (int)i);
	end(&d);
}

/* What modules may do while the variables are written. */
static void
forget_variables(struct snapshot *s)
{
	for (size_t i = 0; i < s->threads.count; i++) {
		struct snap_thread *t = &s->threads.items[i];

		for (uint32_t k = 0; k < t->n_frames; k++) {
			struct snap_frame *f = &t->frames[k];

			if (f->n_variables != 0)
				memset(f->variables, 0,
				    f->n_variables * sizeof(*f->variables));
			f->n_variables = 0;
			f->variables_collected = false;
			f->packed = NULL;
		}
	}
}

/* What is done while the threads are written. */
static void
add_locations(struct snapshot *s)
{
	struct snap_location l = {.object = "other"};
	char name[32];

	for (int i = 0; i < LOCATIONS; i++) {
		(void)snprintf(name, sizeof(name), "new_%d", i);
		l.symbol = name;
		(void)snapshot_location(s, &l);
	}
}

static void
same_bytes(enum btt_section section, void (*change)(struct snapshot *s))
{
	struct desk d;
	struct buf want;

	begin(&d);
	buf_init(&want, OUT_CAP);
	assert_true(btt_write_section(d.writer, section, &want, NULL));
	if (d.scribe != NULL) {
		assert_true(post(&d, section));
		change(&d.s);
		assert_null(scribe_wait(d.scribe));
		assert_int((long long)d.out.size, (long long)want.size);
		expect_int(memcmp(d.out.data, want.data, want.size), 0);
	}
	buf_deinit(&want);
	end(&d);
}

TEST(variables_as_they_were)
{

	same_bytes(BTT_VARIABLES, forget_variables);
}

TEST(threads_as_they_were)
{

	same_bytes(BTT_THREADS, add_locations);
}

TEST(refused_one_holds_up_the_others)
{
	struct btt_part *p;
	struct desk d;

	begin(&d);
	d.refuses[BTT_VARIABLES] = true;
	if (d.scribe != NULL) {
		assert_true(post(&d, BTT_THREADS));
		assert_true(post(&d, BTT_VARIABLES));
		assert_true(post(&d, BTT_OBJECTS));
		p = scribe_wait(d.scribe);
		assert_not_null(p);
		expect_int(btt_part_section(p), BTT_VARIABLES);
		btt_part_destroy(p);
		/* Time enough for one who does not wait. */
		usleep(20000);
		expect_true(scribe_is_busy(d.scribe));
		expect_int((long long)d.n_done, 1);
		assert_true(post(&d, BTT_ANALYSIS));
		usleep(20000);
		expect_int((long long)d.n_done, 1);
		assert_null(scribe_wait(d.scribe));
		expect_int((long long)d.n_done, 3);
		expect_int(d.done[1], BTT_OBJECTS);
		expect_int(d.done[2], BTT_ANALYSIS);
		expect_false(scribe_is_busy(d.scribe));
	}
	end(&d);
}

TEST(last_one_refused)
{
	struct btt_part *p;
	struct desk d;

	begin(&d);
	d.refuses[BTT_MEMORY] = true;
	if (d.scribe != NULL) {
		assert_true(post(&d, BTT_MEMORY));
		p = scribe_wait(d.scribe);
		assert_not_null(p);
		btt_part_destroy(p);
		assert_null(scribe_wait(d.scribe));
		expect_false(scribe_is_busy(d.scribe));
		assert_true(post(&d, BTT_THREADS));
		assert_null(scribe_wait(d.scribe));
		expect_int((long long)d.n_done, 1);
	}
	end(&d);
}

TEST(more_than_there_is_room_for)
{
	struct desk d;
	size_t n = 0;

	begin(&d);
	d.refuses[BTT_MEMORY] = true;
	while (n < 1000 && post(&d, BTT_MEMORY))
		n++;
	expect_true(n < 1000);
	expect_int(n != 0, d.scribe != NULL);
	end(&d); /* with all of them waiting */
}

TEST(without_a_thread)
{
	struct desk d;

	begin(&d);
	scribe_free(d.scribe);
	d.scribe = NULL;
	expect_false(post(&d, BTT_THREADS));
	expect_false(scribe_is_busy(NULL));
	expect_null(scribe_wait(NULL));
	end(&d);
}

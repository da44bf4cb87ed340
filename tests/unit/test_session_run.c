/* SPDX-License-Identifier: MIT */
/*
 * Listening to workers that lie, flood, stall and leave: the supervisor's half
 * believes nothing and always comes back.
 */
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/budget.h"
#include "session/link.h"
#include "session/run.h"
#include "session_fixture.h"

enum { CAP = 100000 };
static const uint64_t second = 1000000000;

struct heard {
	unsigned lines;
	unsigned progress;
	struct supervisor_progress shown;
	char last[1100];
	char stats[64];
};

static void
hear(void *ctx, enum session_level level, const char *text)
{
	struct heard *h = ctx;

	(void)level;
	h->lines++;
	(void)snprintf(h->last, sizeof(h->last), "%s", text);
}

static void
hear_stats(void *ctx, const char *text, size_t size)
{
	struct heard *h = ctx;

	(void)snprintf(h->stats, sizeof(h->stats), "%.*s", (int)size, text);
}

static void
see_progress(void *ctx, const struct supervisor_progress *p)
{
	struct heard *h = ctx;

	h->progress++;
	h->shown = *p;
}

static void
listen_to(worker_body *body, void *ctx, uint64_t patience, struct run *r,
    struct heard *h)
{
	struct supervisor_console console = {.ctx = h,
	    .log = hear,
	    .stats = hear_stats,
	    .progress = see_progress};
	bt_error_t e;

	memset(h, 0, sizeof(*h));
	test_ok(TEST_HARD, "run_worker",
	    run_worker(r, body, ctx, bt_now_ns() + patience, &console, &e), &e);
}

static int
send_all(void *ctx, int fd)
{
	static const uint8_t header = LINK_HEADER, process = BTT_PROCESS,
			     warning = SESSION_WARNING;
	static const int32_t pid = 42;

	(void)ctx;
	(void)link_send(fd, LINK_IDENTITY, &pid, sizeof(pid), "vim", 3);
	(void)link_send(fd, LINK_SECTION, &header, 1, "head", 4);
	(void)link_send(fd, LINK_SECTION, &process, 1, "data", 4);
	(void)link_send(fd, LINK_LOG, &warning, 1, "line", 4);
	(void)link_send(fd, LINK_STATS, NULL, 0, "figures", 7);
	(void)link_send(fd, LINK_PARTIAL, NULL, 0, NULL, 0);
	(void)link_send(fd, LINK_DONE, NULL, 0, NULL, 0);
	return 0;
}

TEST(everything_is_taken)
{
	struct heard h;
	struct run r;

	assert_true(run_init(&r, CAP));
	listen_to(send_all, NULL, 10 * second, &r, &h);
	expect_true(r.done);
	expect_true(r.partial);
	expect_false(r.timed_out);
	expect_int(r.pid, 42);
	expect_str(r.exe, "vim");
	expect_uint(run_sections(&r)->count, 1);
	expect_mem(run_sections(&r)->bytes.data, "headdata", 8);
	expect_str(h.last, "line");
	expect_str(h.stats, "figures");
	run_deinit(&r);
}

/* ---- lies ---- */

struct lie {
	const char *name;
	uint32_t kind, claimed;
	const void *data;
	size_t size;
};

static int
tell(void *ctx, int fd)
{
	const struct lie *lie = ctx;
	uint32_t frame[2] = {lie->kind, lie->claimed};

	(void)!write(fd, frame, sizeof(frame));
	if (lie->size != 0)
		(void)!write(fd, lie->data, lie->size);
	/* Were it believed, this would end the conversation well. */
	(void)link_send(fd, LINK_DONE, NULL, 0, NULL, 0);
	while (pause() < 0)
		continue;
	return 0;
}

TEST(lies_end_the_conversation)
{
	static const uint8_t junk[64] = {LINK_HEADER};
	static const uint8_t threads = BTT_THREADS, none = 200;
	static const struct lie lies[] = {
	    {"unknown kind", 99, 0, NULL, 0},
	    {"kind 0", 0, 0, NULL, 0},
	    {"section without its number", LINK_SECTION, 0, NULL, 0},
	    {"section before the header", LINK_SECTION, 1, &threads, 1},
	    {"no such section", LINK_SECTION, 1, &none, 1},
	    {"short identity", LINK_IDENTITY, 3, junk, 3},
	    {"short error", LINK_ERROR, 10, junk, 10},
	    {"log without a level", LINK_LOG, 0, NULL, 0},
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		struct lie lie = lies[i];
		struct heard h;
		struct run r;

		assert_true(run_init(&r, CAP));
		listen_to(tell, &lie, 10 * second, &r, &h);
		test_true(TEST_SOFT, r.done, false, lies[i].name);
		test_true(TEST_SOFT, r.timed_out, false, lies[i].name);
		/* It would have stayed for ever. */
		expect_true(WIFSIGNALED(r.status));
		run_deinit(&r);
	}
}

/* An error's text is shown to people: it must end. */
static int
send_endless_text(void *ctx, int fd)
{
	bt_error_t e;

	(void)ctx;
	memset(&e, 'x', sizeof(e));
	(void)link_send(fd, LINK_ERROR, &e, sizeof(e), NULL, 0);
	return 2;
}

TEST(error_text_ends)
{
	struct heard h;
	struct run r;

	assert_true(run_init(&r, CAP));
	listen_to(send_endless_text, NULL, 10 * second, &r, &h);
	assert_true(r.has_error);
	expect_uint(strlen(r.error.text), sizeof(r.error.text) - 1);
	run_deinit(&r);
}

static int
send_too_much(void *ctx, int fd)
{
	static const uint8_t header = LINK_HEADER, memory = BTT_MEMORY;
	static uint8_t big[60000];

	(void)ctx;
	(void)link_send(fd, LINK_SECTION, &header, 1, "head", 4);
	for (int i = 0; i < 100; i++)
		if (link_send(fd, LINK_SECTION, &memory, 1, big, sizeof(big)) ==
		    false)
			return 3;
	return 0;
}

TEST(more_than_the_cap)
{
	struct heard h;
	struct run r;

	assert_true(run_init(&r, CAP));
	listen_to(send_too_much, NULL, 10 * second, &r, &h);
	expect_false(r.done);
	expect_true(run_sections(&r)->bytes.size <= CAP + 65536);
	expect_true(run_sections(&r)->count >= 1);
	run_deinit(&r);
}

static int
flood(void *ctx, int fd)
{
	static const uint8_t level = SESSION_ERROR;

	(void)ctx;
	for (int i = 0; i < 50000; i++)
		(void)link_send(fd, LINK_LOG, &level, 1, "noise", 5);
	(void)link_send(fd, LINK_DONE, NULL, 0, NULL, 0);
	return 0;
}

TEST(noise_is_capped)
{
	struct heard h;
	struct run r;

	assert_true(run_init(&r, CAP));
	listen_to(flood, NULL, 10 * second, &r, &h);
	expect_true(r.done);
	expect_true(h.lines > 0 && h.lines <= 1000);
	run_deinit(&r);
}

static int
scribble(void *ctx, int fd)
{
	struct worker_note *note = ctx;

	(void)fd;
	for (size_t i = 0; i < sizeof(note->module); i++)
		note->module[i] = 'x';
	note->stage = 255;
	return 5;
}

TEST(note_is_not_believed)
{
	struct heard h;
	struct run r;
	char end[96];

	assert_true(run_init(&r, CAP));
	listen_to(scribble, r.note, 10 * second, &r, &h);
	expect_uint(strlen(r.module), 63);
	expect_int(r.stage, SESSION_OPEN);
	run_describe_end(&r, end, sizeof(end));
	expect_str(end, "stopped with status 5");
	run_deinit(&r);
}

/* How far a walk has come; what cannot be is not passed on. */
static int
walk(void *ctx, int fd)
{
	const uint64_t *numbers = ctx;
	struct worker_note *note = (struct worker_note *)(uintptr_t)numbers[0];

	(void)fd;
	worker_note_walk(note, numbers[1], numbers[2], numbers[3]);
	while (pause() < 0)
		continue;
	return 0;
}

TEST(progress_of_a_walk)
{
	static const struct {
		uint64_t blocks, done, all;
		unsigned percent;
	} cases[] = {{7, 1, 3, 33}, {UINT64_MAX, UINT64_MAX, UINT64_MAX, 100},
	    {7, 0, 0, UINT_MAX}, {7, 4, 3, UINT_MAX}, {0, 0, 1, 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct heard h;
		struct run r;
		uint64_t numbers[4] = {
		    0, cases[i].blocks, cases[i].done, cases[i].all};

		assert_true(run_init(&r, CAP));
		numbers[0] = (uintptr_t)r.note;
		listen_to(walk, numbers, second, &r, &h);
		expect_uint(h.shown.blocks, cases[i].blocks);
		expect_uint(h.shown.percent, cases[i].percent);
		/* Another worker starts anew. */
		run_again(&r);
		expect_uint(r.note->blocks, 0);
		run_deinit(&r);
	}
}

/* ---- ends ---- */

static int
stall(void *ctx, int fd)
{

	(void)ctx;
	(void)fd;
	while (pause() < 0)
		continue;
	return 0;
}

/* Closes its end and stays: nothing more will come. */
static int
hang_up(void *ctx, int fd)
{

	(void)close(fd);
	return stall(ctx, fd);
}

static int
die(void *ctx, int fd)
{

	(void)ctx;
	(void)fd;
	(void)signal(SIGSEGV, SIG_DFL); /* not the sanitizer's handler */
	return raise(SIGSEGV);
}

TEST(ends)
{
	struct heard h;
	struct run r;
	char end[96];

	assert_true(run_init(&r, CAP));
	listen_to(stall, NULL, second / 2, &r, &h);
	expect_true(r.timed_out);
	expect_true(h.progress >= 2);
	run_describe_end(&r, end, sizeof(end));
	expect_str(end, "took too long");

	run_again(&r);
	listen_to(hang_up, NULL, 10 * second, &r, &h);
	expect_false(r.timed_out);
	expect_false(r.done);

	run_again(&r);
	listen_to(die, NULL, 10 * second, &r, &h);
	run_describe_end(&r, end, sizeof(end));
	expect_contains(end, "signal 11");
	run_deinit(&r);
}

/* ---- several generations of sections ---- */

struct generation {
	bool restart;
	unsigned sections;
	bool done;
};

static int
generations(void *ctx, int fd)
{
	static const uint8_t header = LINK_HEADER, section = BTT_PROCESS;
	const struct generation *g = ctx;

	for (; g->sections != 0; g++) {
		char name = (char)('0' + g->sections);

		if (g->restart)
			(void)link_send(fd, LINK_RESTART, NULL, 0, NULL, 0);
		(void)link_send(fd, LINK_SECTION, &header, 1, &name, 1);
		for (unsigned i = 0; i < g->sections; i++)
			(void)link_send(fd, LINK_SECTION, &section, 1, "s", 1);
		if (g->done)
			(void)link_send(fd, LINK_DONE, NULL, 0, NULL, 0);
	}
	return 0;
}

TEST(the_best_generation_is_kept)
{
	static const struct {
		struct generation g[4];
		unsigned want;
	} cases[] = {
	    {{{false, 2, false}}, 2},
	    {{{false, 2, false}, {true, 3, false}}, 3},
	    {{{false, 5, false}, {true, 3, false}}, 5},
	    {{{false, 5, false}, {true, 3, true}}, 3}, /* done: left out */
	    {{{false, 2, false}, {true, 4, false}, {true, 1, false}}, 4},
	    {{{false, 3, false}, {true, 3, false}}, 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct generation g[4];
		struct heard h;
		struct run r;

		memcpy(g, cases[i].g, sizeof(g));
		assert_true(run_init(&r, CAP));
		listen_to(generations, g, 10 * second, &r, &h);
		expect_uint(run_sections(&r)->count, cases[i].want);
		expect_int(run_sections(&r)->bytes.data[0],
		    (int)('0' + cases[i].want));
		run_deinit(&r);
	}
}

/* A second worker after one that sent something: the same rule. */
TEST(second_worker)
{
	struct generation first[] = {{false, 2, false}, {false, 0, false}};
	struct generation second_one[] = {{false, 4, true}, {false, 0, false}};
	struct heard h;
	struct run r;

	assert_true(run_init(&r, CAP));
	listen_to(generations, first, 10 * second, &r, &h);
	run_again(&r);
	listen_to(generations, second_one, 10 * second, &r, &h);
	expect_true(r.done);
	expect_uint(run_sections(&r)->count, 4);
	run_deinit(&r);
}

/* SPDX-License-Identifier: MIT */
/*
 * The parts of the session that need no worker: names of output files, and
 * the messages between worker and supervisor.
 */
#include <fcntl.h>
#include <unistd.h>

#include "session/link.h"
#include "session/output.h"
#include "session/sections.h"
#include "session_fixture.h"

TEST(names_are_harmless)
{
	static const struct {
		const char *exe, *want;
	} cases[] = {
	    {"vim", "vim"},
	    {"vim.basic", "vim.basic"},
	    {"g++-12_x", "g++-12_x"},
	    {"", "unknown"},
	    {NULL, "unknown"},
	    {"..", "_."},
	    {".hidden", "_hidden"},
	    {"-rf", "_rf"},
	    {"../../etc/passwd", "_._.._etc_passwd"},
	    {"a b\nc\033[m", "a_b_c__m"},
	    {"\xff\xc3\xa4", "___"},
	};
	char out[65], longest[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		output_safe_name(out, sizeof(out), cases[i].exe);
		expect_str(out, cases[i].want);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	output_safe_name(out, sizeof(out), longest);
	expect_uint(strlen(out), 64);
}

TEST(paths)
{
	struct supervisor_output o = {0};
	char *path, *cwd = getcwd(NULL, 0);

	assert_not_null(cwd);
	path = output_path(&o, "vim", 7, 1700000000);
	expect_str(path, test_format("%s/vim.7.1700000000.btt", cwd));
	free(path);
	path = output_path(&o, "vim", -7, 1);
	expect_str(path, test_format("%s/vim.0.1.btt", cwd));
	free(path);
	o.prefix = "a/b";
	path = output_path(&o, "vim", 7, 1);
	expect_str(path, "a/b.7.1.btt");
	free(path);
	o.path = "x";
	path = output_path(&o, "vim", 7, 1);
	expect_str(path, "x");
	free(path);
	assert_int(chdir("/"), 0);
	o = (struct supervisor_output){0};
	path = output_path(&o, "vim", 7, 1);
	expect_str(path, "/vim.7.1.btt");
	free(path);
	free(cwd);
}

/* ---- messages ---- */

TEST(messages_arrive_whole)
{
	struct link_reader r;
	struct link_message m;
	uint8_t big[100000];
	int fds[2];
	unsigned n = 0;

	memset(big, 7, sizeof(big));
	assert_int(pipe(fds), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) > 0);
	assert_true(link_send(fds[1], LINK_DONE, NULL, 0, NULL, 0));
	assert_true(link_send(fds[1], LINK_SECTION, "a", 1, big, sizeof(big)));
	assert_true(link_send(fds[1], LINK_LOG, "b", 1, "text", 4));
	(void)close(fds[1]);
	link_reader_init(&r, fds[0], 1 << 20);
	while (link_reader_fill(&r) > 0) {
		while (link_reader_next(&r, &m)) {
			static const enum link_kind kinds[] = {
			    LINK_DONE, LINK_SECTION, LINK_LOG};
			static const size_t sizes[] = {0, 100001, 5};

			assert_true(n < 3);
			expect_int(m.kind, kinds[n]);
			expect_uint(m.size, sizes[n]);
			if (n == 1)
				expect_int(m.data[100000], 7);
			n++;
		}
	}
	expect_uint(n, 3);
	link_reader_deinit(&r);
}

/* A worker gone wrong may claim any length. */
TEST(message_over_the_cap)
{
	static const uint32_t frame[2] = {LINK_SECTION, UINT32_MAX};
	static uint8_t junk[300000];
	struct link_reader r;
	struct link_message m;
	int fds[2], got = 1;

	assert_int(pipe(fds), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) > 0);
	assert_int((int)write(fds[1], frame, sizeof(frame)), sizeof(frame));
	assert_true(write(fds[1], junk, sizeof(junk)) > 0);
	(void)close(fds[1]);
	link_reader_init(&r, fds[0], 65536);
	while (got > 0) {
		got = link_reader_fill(&r);
		expect_false(link_reader_next(&r, &m));
	}
	expect_int(got, -1);
	link_reader_deinit(&r);
}

TEST(sending_to_nobody)
{
	int fds[2];

	(void)signal(SIGPIPE, SIG_IGN);
	assert_int(pipe(fds), 0);
	(void)close(fds[0]);
	expect_false(link_send(fds[1], LINK_DONE, NULL, 0, NULL, 0));
	(void)close(fds[1]);
}

/* ---- sections ---- */

TEST(sections_keep_to_their_cap)
{
	static uint8_t big[100000];
	struct sections s;

	sections_init(&s, 1000);
	expect_false(sections_add(&s, BTT_PROCESS, "x", 1)); /* no header */
	expect_true(sections_header(&s, "head", 4));
	expect_false(sections_header(&s, "head", 4));
	expect_true(sections_add(&s, BTT_PROCESS, "one", 3));
	expect_false(sections_add(&s, BTT_THREADS, big, sizeof(big)));
	expect_true(sections_add(&s, BTT_THREADS, "two", 3));
	expect_false(sections_add(&s, BTT_SECTION__COUNT, "x", 1));
	expect_uint(s.count, 2);
	expect_mem(s.bytes.data, "headonetwo", 10);
	expect_uint(s.entries[1].offset, 7);
	expect_uint(s.entries[1].length, 3);
	expect_str(s.entries[1].name, "threads");
	for (int i = 0; i < 100; i++)
		(void)sections_add(&s, BTT_MEMORY, "m", 1);
	expect_uint(s.count, SECTIONS_MAX);
	sections_clear(&s);
	expect_true(sections_header(&s, "again", 5));
	sections_deinit(&s);
}

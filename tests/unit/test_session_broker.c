/* SPDX-License-Identifier: MIT */
/*
 * The broker: what it opens for a worker, what it does not, and that nothing a
 * worker sends it does harm.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/test.h"
#include "session/broker.h"
#include "session/broker_link.h"

struct asked {
	struct worker broker;
	struct broker_client client;
	struct session_options session;
	struct broker_options options;
	const char *elf, *text;
};

static void
start(struct asked *a)
{
	bt_error_t e;
	int own;

	a->options.session = &a->session;
	assert_ok(broker_connect(&a->broker, &own, &e), &e);
	assert_ok(broker_start(&a->broker, own, &a->options, &e), &e);
	broker_client_init(&a->client, a->broker.fd, false);
	a->elf = test_path("elf");
	a->text = test_path("text");
	test_write_file(a->elf, "\177ELF and more", 13);
	test_write_file(a->text, "text", 4);
}

static void
stop(struct asked *a)
{
	worker_stop(&a->broker);
	(void)worker_reap(&a->broker);
}

/* The first byte of what was opened; -1 with the error. */
static int
first(struct asked *a, enum opener_kind kind, const char *path, bt_error_t *e)
{
	int fd;
	uint8_t byte = 0;

	bt_error_clear(e);
	fd = opener_open(&a->client.base, kind, path, e);
	if (fd < 0)
		return -1;
	expect_int(read(fd, &byte, 1), 1);
	(void)close(fd);
	return byte;
}

TEST(foreign_names_lead_to_elf_files_only)
{
	static const enum opener_kind kinds[] = {OPENER_MODULE, OPENER_DEBUG};
	struct asked a = {0};
	bt_error_t e;

	start(&a);
	assert_int(mkfifo(test_path("fifo"), 0600), 0);
	test_write_file(test_path("empty"), "", 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		expect_int(first(&a, kinds[i], a.elf, &e), 0x7f);
		expect_int(first(&a, kinds[i], a.text, &e), -1);
		expect_uint(e.code, BT_E_FORMAT);
		expect_contains(e.text, "not an ELF file");
		expect_int(first(&a, kinds[i], test_path("fifo"), &e), -1);
		expect_uint(e.code, BT_E_FORMAT);
		expect_int(first(&a, kinds[i], test_path("none"), &e), -1);
		expect_uint(e.code, BT_E_NOTFOUND);
		expect_int(first(&a, kinds[i], test_dir(), &e), -1);
	}
	expect_int(first(&a, OPENER_MODULE, "relative", &e), -1);
	int fd = opener_open(
	    &a.client.base, OPENER_MODULE, test_path("empty"), &e);

	expect_true(fd >= 0);
	(void)close(fd);
	stop(&a);
}

TEST(what_the_user_named)
{
	const char *const resources[] = {
	    test_path("text"), test_path("d"), NULL};
	struct asked a = {0};
	bt_error_t e;

	a.session.core_path = test_path("text");
	a.session.exe_path = test_path("elf");
	a.session.resources = resources;
	start(&a);
	assert_int(mkdir(test_path("d"), 0700), 0);
	test_write_file(test_path("d/in"), "in", 2);
	expect_int(first(&a, OPENER_CORE, a.text, &e), 't');
	expect_int(first(&a, OPENER_EXE_USER, a.elf, &e), 0x7f);
	expect_int(first(&a, OPENER_RESOURCE, a.text, &e), 't');
	expect_int(first(&a, OPENER_ATTACHED, test_path("d//in"), &e), 'i');
	static const struct {
		enum opener_kind kind;
		const char *name;
	} refused[] = {{OPENER_CORE, "elf"}, {OPENER_EXE_USER, "text"},
	    {OPENER_RESOURCE, "elf"}, {OPENER_RESOURCE, "d/in"},
	    {OPENER_ATTACHED, "//d/in"}, {OPENER_ATTACHED, "d/in"},
	    {OPENER_ATTACHED, "/.//elf"}};
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		expect_int(
		    first(&a, refused[i].kind, test_path(refused[i].name), &e),
		    -1);
		expect_uint(e.code, BT_E_PERMISSION);
	}
	/* Of a directory that was named, but not from below it. */
	expect_int(first(&a, OPENER_ATTACHED, test_path("d//../text"), &e), -1);
	stop(&a);
}

TEST(snapshot_to_print)
{
	struct asked a = {0};
	bt_error_t e;

	a.options.snapshot_path = test_path("text");
	start(&a);
	expect_int(first(&a, OPENER_RESOURCE, a.text, &e), 't');
	expect_int(first(&a, OPENER_RESOURCE, a.elf, &e), -1);
	stop(&a);
}

TEST(below_the_sysroot)
{
	struct asked a = {0};
	bt_error_t e;

	a.session.sysroot = test_dir();
	start(&a);
	expect_int(first(&a, OPENER_MODULE, "/elf", &e), 0x7f);
	expect_int(first(&a, OPENER_MODULE, "/../../elf", &e), 0x7f);
	expect_int(first(&a, OPENER_MODULE, "/bin/sh", &e), -1);
	stop(&a);
}

TEST(sysroot_that_is_none)
{
	struct asked a = {0};
	bt_error_t e;

	a.session.sysroot = test_path("none");
	start(&a);
	expect_int(first(&a, OPENER_MODULE, a.elf, &e), -1);
	expect_contains(e.text, "sysroot");
	expect_uint(e.code, BT_E_NOTFOUND);
	stop(&a);
}

TEST(no_server)
{
	static const uint8_t id[20] = {1};
	struct asked a = {0};
	char *name;
	bt_error_t e;

	(void)unsetenv("DEBUGINFOD_URLS");
	start(&a);
	expect_int(a.client.base.fetch(
		       &a.client.base, true, id, sizeof(id), &name, &e),
	    -1);
	expect_null(name);
	expect_uint(e.code, BT_E_NOTFOUND);
	stop(&a);
}

TEST(it_ends)
{
	struct asked a = {0};
	bt_error_t e;

	start(&a);
	stop(&a);
	/* The worker's end stays open in this test only for this. */
	int ends[2];

	assert_int(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	(void)close(ends[1]);
	broker_client_init(&a.client, ends[0], false);
	expect_int(first(&a, OPENER_MODULE, a.elf, &e), -1);
	expect_contains(e.text, "has ended");
}

/* Files that are expected: as if they were asked for one after the other, in
 * whatever order they then are. */
TEST(several_at_once)
{
	enum { FILES = 100 };
	struct asked a = {0};
	char name[32];
	bt_error_t e;

	start(&a);
	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "several-%d", i);
		if (i % 5 != 0)
			test_write_file(test_path(name),
			    i % 7 != 0 ? "\177ELF" : "text", 4);
	}
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < FILES; i++) {
			(void)snprintf(name, sizeof(name), "several-%d", i);
			opener_expect(
			    &a.client.base, OPENER_MODULE, test_path(name));
		}
		/* Forwards, backwards, every other. */
		for (int k = 0; k < FILES; k += round < 2 ? 1 : 2) {
			int i = round == 1 ? FILES - 1 - k : k;

			(void)snprintf(name, sizeof(name), "several-%d", i);
			expect_int(
			    first(&a, OPENER_MODULE, test_path(name), &e),
			    i % 5 == 0 || i % 7 == 0 ? -1 : 0x7f);
			expect_uint(e.code,
			    i % 5 == 0	     ? BT_E_NOTFOUND
				: i % 7 == 0 ? BT_E_FORMAT
					     : BT_OK);
		}
	}
	/* What was not named is refused in this way, too; of another kind it is
	 * another question; and others than the expected may be asked for. */
	opener_expect(&a.client.base, OPENER_CORE, a.text);
	opener_expect(&a.client.base, OPENER_DEBUG, a.elf);
	expect_int(first(&a, OPENER_MODULE, a.elf, &e), 0x7f);
	expect_int(first(&a, OPENER_CORE, a.text, &e), -1);
	expect_uint(e.code, BT_E_PERMISSION);
	expect_int(first(&a, OPENER_DEBUG, a.elf, &e), 0x7f);
	expect_int(first(&a, OPENER_DEBUG, a.elf, &e), 0x7f);
	broker_client_deinit(&a.client);
	expect_int(first(&a, OPENER_MODULE, a.elf, &e), 0x7f);
	stop(&a);
}

/* Room for one packet or two: nobody waits for the other for ever. */
TEST(several_without_room)
{
	struct asked a = {0};
	int least = 0;
	char name[64];
	bt_error_t e;

	start(&a);
	(void)setsockopt(
	    a.broker.fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "none-%d", i);
		opener_expect(&a.client.base, OPENER_DEBUG, test_path(name));
		if (i % 50 == 49)
			expect_int(first(&a, OPENER_MODULE, a.elf, &e), 0x7f);
	}
	expect_int(first(&a, OPENER_DEBUG, test_path("none-199"), &e), -1);
	expect_uint(e.code, BT_E_NOTFOUND);
	broker_client_deinit(&a.client);
	stop(&a);
}

/* The answers do not come any more. */
TEST(several_of_one_that_has_ended)
{
	struct asked a = {0};
	bt_error_t e;

	start(&a);
	opener_expect(&a.client.base, OPENER_MODULE, a.elf);
	opener_expect(&a.client.base, OPENER_MODULE, a.text);
	expect_int(first(&a, OPENER_MODULE, a.elf, &e), 0x7f);
	(void)kill(a.broker.pid, SIGKILL);
	(void)worker_reap(&a.broker);
	expect_int(first(&a, OPENER_MODULE, a.text, &e), -1);
	opener_expect(&a.client.base, OPENER_MODULE, a.elf);
	expect_int(first(&a, OPENER_MODULE, a.elf, &e), -1);
	expect_contains(e.text, "has ended");
	broker_client_deinit(&a.client);
}

/* What a worker that was taken over may send: the broker ends, or answers
 * "no", and nothing else. */
TEST(lies)
{
	static const struct {
		uint32_t kind, size;
		size_t sent;
		const char *data;
		bool ends;
	} lies[] = {
	    {OPENER_MODULE, 4, 4, "abcd", false}, /* does not end */
	    {OPENER_MODULE, 0, 0, "", false},
	    {OPENER_MODULE, 3, 3, "a\0b", false},
	    {OPENER__COUNT, 2, 2, "x", false}, {99, 2, 2, "x", false},
	    {UINT32_MAX, 2, 2, "x", false},
	    {BROKER_FETCH_DEBUGINFO, 0, 0, "", false},
	    {BROKER_FETCH_EXECUTABLE, 4, 4, "abcd", false},
	    {OPENER_MODULE, 4000, 4, "abcd", true},
	    {OPENER_MODULE, UINT32_MAX, 4, "abcd", true},
	    {BROKER_LISTEN, 0, 0, "", false}, /* without a descriptor */
	    {BROKER_OPEN, 0, 0, "", true}, {BROKER_OPEN, 1, 1, "\2", true},
	    {BROKER_OPEN, 2, 2, "\2a", true},	   /* does not end */
	    {BROKER_OPEN, 5, 5, "\2a\0\2b", true}, /* and one that is not */
	    {BROKER_OPEN, 3, 3, "\377a", true},	   /* no such kind */
	    {BROKER_OPEN, 34, 34,
		"\2\0\2\0\2\0\2\0\2\0\2\0\2\0\2\0\2\0\2\0\2\0\2\0"
		"\2\0\2\0\2\0\2\0\2\0",
		true}, /* one too many */
	};

	(void)unsetenv("DEBUGINFOD_URLS");
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		struct asked a = {0};
		struct broker_request q = {
		    .kind = lies[i].kind, .size = lies[i].size};
		struct broker_reply r;
		ssize_t n;
		int fd;

		start(&a);
		memcpy(q.data, lies[i].data, lies[i].sent);
		assert_true(broker_send(a.broker.fd, &q,
		    offsetof(struct broker_request, data) + lies[i].sent, -1));
		n = broker_receive(a.broker.fd, &r, sizeof(r), &fd);
		expect_int(fd, -1);
		if (lies[i].ends) {
			expect_int(n, 0);
		} else {
			expect_true(n > 0);
			expect_true(r.error.code != BT_OK);
		}
		stop(&a);
	}
	/* Less than a head, and a descriptor where none belongs. */
	struct asked a = {0};
	struct broker_reply r;
	int fd;

	start(&a);
	assert_true(broker_send(a.broker.fd, "abc", 3, -1));
	expect_int(broker_receive(a.broker.fd, &r, sizeof(r), &fd), 0);
	stop(&a);
	start(&a);
	struct broker_request q = {.kind = OPENER_MODULE, .size = 2};

	assert_true(broker_send(a.broker.fd, &q,
	    offsetof(struct broker_request, data) + 2, STDERR_FILENO));
	expect_int(broker_receive(a.broker.fd, &r, sizeof(r), &fd), 0);
	stop(&a);
}

/* ---- what was refused ---- */

TEST(refusals_have_names)
{
	struct refusals *r = refusals_create();
	struct worker_note *note = worker_note_create();
	char text[96];

	assert_not_null(r);
	assert_not_null(note);
	expect_str(refusals_call_name(41), "socket"); /* x86-64 */
	expect_str(refusals_call_name(257), "openat");
	expect_null(refusals_call_name(100000));
	expect_null(refusals_call_name(-1));
	worker_note_set(note, SESSION_ANALYSIS, "one");
	refusals_add(r, 41, note);
	refusals_add(r, 41, note);
	worker_note_set(note, SESSION_ANALYSIS, "two");
	refusals_add(r, 41, note);
	refusals_add(r, 100000, NULL);
	assert_uint(r->count, 3);
	refusals_describe(&r->items[0], text, sizeof(text));
	expect_str(
	    text, "the sandbox refused the system call 'socket' (2 times)");
	expect_str(r->items[0].module, "one");
	expect_uint(r->items[0].stage, SESSION_ANALYSIS);
	expect_str(r->items[1].module, "two");
	refusals_describe(&r->items[2], text, sizeof(text));
	expect_str(text, "the sandbox refused the system call number 100000");
	for (int i = 0; i < 100; i++)
		refusals_add(r, i, NULL);
	expect_uint(r->count, REFUSALS_MAX);
	worker_note_destroy(note);
	refusals_destroy(r);
}

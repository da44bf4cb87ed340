/* SPDX-License-Identifier: MIT */
/*
 * The opener: what may be opened, what must not hang us, and what must not
 * lead out of the sysroot.
 */
#include "base/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/test.h"

static const enum opener_kind all_kinds[] = {
    OPENER_CORE, OPENER_EXE_USER, OPENER_MODULE, OPENER_DEBUG, OPENER_RESOURCE};

enum { KINDS = sizeof(all_kinds) / sizeof(*all_kinds) };

#define FOREACH_KIND(K)                                                        \
	for (unsigned i_ = 0, K; i_ < KINDS && (K = all_kinds[i_], 1); i_++)

static const char *
make_file(const char *name, const char *content)
{
	const char *path = test_path(name);

	test_write_file(path, content, strlen(content));
	return path;
}

/* The lowest free descriptor: the same before and after if none was lost. */
static int
next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)close(fd);
	return fd;
}

/* The content of what was opened, "" when nothing was. */
static const char *
content_of(struct opener_local *o, enum opener_kind kind, const char *path,
    bt_error_t *e)
{
	static char room[64];
	ssize_t n;
	int fd, next;

	room[0] = '\0';
	bt_error_clear(e);
	next = next_fd();
	fd = opener_open(&o->base, kind, path, e);
	if (fd < 0)
		return room;
	n = read(fd, room, sizeof(room) - 1);
	(void)close(fd);
	expect_int(next_fd(), next);
	room[n > 0 ? n : 0] = '\0';
	return room;
}

static void
expect_refused(struct opener_local *o, enum opener_kind kind, const char *path,
    enum bt_error_code code)
{
	int next = next_fd();
	bt_error_t e = {0};
	int fd = opener_open(&o->base, kind, path, &e);

	expect_code(fd >= 0, &e, code);
	if (fd >= 0)
		(void)close(fd);
	expect_int(opener_open(&o->base, kind, path, NULL), -1);
	expect_int(next_fd(), next);
}

TEST(opens_a_regular_file_of_every_kind)
{
	const char *path = make_file("file", "hello");
	struct opener_local o;
	bt_error_t e;

	assert_ok(opener_local_init(&o, NULL, &e), &e);
	FOREACH_KIND(kind)
	{
		int fd = opener_open(&o.base, kind, path, &e);

		assert_true(fd >= 0);
		expect_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		expect_int(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		(void)close(fd);
		expect_str(content_of(&o, kind, path, &e), "hello");
	}
	opener_local_deinit(&o);
}

TEST(refuses_what_is_no_regular_file)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *fifo = test_path("fifo"), *sock = test_path("socket");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct opener_local o;
	bt_error_t e;

	assert_int(mkfifo(fifo, 0600), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", sock);
	assert_int(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_ok(opener_local_init(&o, NULL, &e), &e);
	FOREACH_KIND(kind)
	{
		/* With nobody at the other end: must not wait. */
		expect_refused(&o, kind, fifo, BT_E_FORMAT);
		expect_refused(&o, kind, sock, BT_E_FORMAT);
		expect_refused(&o, kind, test_dir(), BT_E_FORMAT);
		expect_refused(&o, kind, "/dev/zero", BT_E_FORMAT);
	}
	expect_int(opener_open(&o.base, OPENER_CORE, test_dir(), &e), -1);
	expect_contains(e.text, "is a directory");
	(void)close(fd);
	opener_local_deinit(&o);
}

TEST(what_is_not_there)
{
	const char *file = make_file("file", "x");
	const char *below = test_path("file/below");
	const char *loop = test_path("loop");
	struct opener_local o;
	bt_error_t e;

	assert_int(symlink(loop, loop), 0);
	assert_ok(opener_local_init(&o, NULL, &e), &e);
	FOREACH_KIND(kind)
	{
		expect_refused(&o, kind, test_path("none"), BT_E_NOTFOUND);
		expect_refused(&o, kind, below, BT_E_NOTFOUND);
		expect_refused(&o, kind, loop, BT_E_OS);
		expect_refused(&o, kind, "", BT_E_USAGE);
		expect_refused(&o, kind, NULL, BT_E_USAGE);
	}
	expect_refused(&o, OPENER__COUNT, file, BT_E_USAGE);
	opener_local_deinit(&o);
}

TEST(permission)
{
	const char *path = make_file("file", "x");
	struct opener_local o;
	bt_error_t e;

	assert_int(chmod(path, 0), 0);
	if (geteuid() == 0)
		test_deny(SYS_openat, EACCES);
	assert_ok(opener_local_init(&o, NULL, &e), &e);
	expect_refused(&o, OPENER_CORE, path, BT_E_PERMISSION);
	opener_local_deinit(&o);
}

TEST(size_cap)
{
	const char *path = make_file("file", "12345");
	struct opener_local o;
	bt_error_t e;

	assert_ok(opener_local_init(&o, NULL, &e), &e);
	o.size_cap[OPENER_RESOURCE] = 5;
	o.size_cap[OPENER_DEBUG] = 4;
	expect_str(content_of(&o, OPENER_RESOURCE, path, &e), "12345");
	expect_refused(&o, OPENER_DEBUG, path, BT_E_LIMIT);
	opener_local_deinit(&o);
	/* By default a resource is small, a core may be anything. */
	path = make_file("huge", "");
	assert_int(truncate(path, (off_t)1 << 40), 0);
	assert_ok(opener_local_init(&o, NULL, &e), &e);
	expect_refused(&o, OPENER_RESOURCE, path, BT_E_LIMIT);
	expect_true(content_of(&o, OPENER_CORE, path, &e) && e.code == BT_OK);
	opener_local_deinit(&o);
}

TEST(relative_paths)
{
	struct opener_local o;
	bt_error_t e;

	(void)make_file("file", "here");
	assert_int(chdir(test_dir()), 0);
	assert_ok(opener_local_init(&o, NULL, &e), &e);
	expect_str(content_of(&o, OPENER_CORE, "file", &e), "here");
	expect_str(content_of(&o, OPENER_EXE_USER, "./file", &e), "here");
	/* A relative name in a core must not pick up our own files. */
	expect_refused(&o, OPENER_MODULE, "file", BT_E_NOTFOUND);
	opener_local_deinit(&o);
	assert_int(chdir("/"), 0);
}

TEST(no_magic_links_for_foreign_paths)
{
	const char *path = make_file("file", "secret");
	int fd = open(path, O_RDONLY);
	struct opener_local o;
	char magic[64];
	bt_error_t e;

	(void)snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	assert_ok(opener_local_init(&o, NULL, &e), &e);
	expect_str(content_of(&o, OPENER_CORE, magic, &e), "secret");
	expect_refused(&o, OPENER_MODULE, magic, BT_E_OS);
	expect_refused(&o, OPENER_DEBUG, magic, BT_E_OS);
	opener_local_deinit(&o);
	(void)close(fd);
}

TEST(sysroot_contains_foreign_paths)
{
	const char *outside = make_file("outside", "outside");
	const char *root = test_path("root");
	struct opener_local o;
	char up[200];
	bt_error_t e;

	assert_int(mkdir(root, 0700), 0);
	assert_int(mkdir(test_path("root/lib"), 0700), 0);
	(void)make_file("root/lib/real.so", "inside");
	(void)make_file("root/outside", "inside too");
	/* Symlinks as libraries have them, and as an attacker would. */
	assert_int(symlink("real.so", test_path("root/lib/a.so")), 0);
	assert_int(symlink("/lib/real.so", test_path("root/lib/b.so")), 0);
	assert_int(symlink(outside, test_path("root/lib/c.so")), 0);
	assert_int(
	    symlink("../../../../outside", test_path("root/lib/d.so")), 0);
	assert_ok(opener_local_init(&o, root, &e), &e);
	expect_str(o.sysroot, root);
	for (int i = 0; i < 2; i++) {
		enum opener_kind k = i == 0 ? OPENER_MODULE : OPENER_DEBUG;

		expect_str(content_of(&o, k, "/lib/real.so", &e), "inside");
		expect_str(content_of(&o, k, "/lib/a.so", &e), "inside");
		expect_str(content_of(&o, k, "/lib/b.so", &e), "inside");
		expect_refused(&o, k, "/lib/c.so", BT_E_NOTFOUND);
		expect_refused(&o, k, outside, BT_E_NOTFOUND);
		/* ".." ends at the root. */
		expect_str(content_of(&o, k, "/lib/d.so", &e), "inside too");
		expect_str(
		    content_of(&o, k, "/../../outside", &e), "inside too");
	}
	/* What the user names is where the user says. */
	expect_str(content_of(&o, OPENER_CORE, outside, &e), "outside");
	expect_str(content_of(&o, OPENER_EXE_USER, outside, &e), "outside");
	expect_str(content_of(&o, OPENER_RESOURCE, outside, &e), "outside");
	(void)snprintf(up, sizeof(up), "%s/../outside", root);
	expect_str(content_of(&o, OPENER_EXE_USER, up, &e), "outside");
	opener_local_deinit(&o);
}

TEST(debug_directories_are_outside_the_sysroot)
{
	const char *debug = test_path("debug"), *file;
	struct opener_local o;
	char other[200];
	bt_error_t e;

	assert_int(mkdir(debug, 0700), 0);
	assert_int(mkdir(test_path("root"), 0700), 0);
	file = make_file("debug/x.debug", "symbols");
	(void)make_file("debug2", "not below");
	(void)snprintf(other, sizeof(other), "%s2", debug);
	assert_ok(opener_local_init(&o, test_path("root"), &e), &e);
	expect_refused(&o, OPENER_DEBUG, file, BT_E_NOTFOUND);
	assert_ok(opener_local_debug_dir(&o, debug, &e), &e);
	expect_str(content_of(&o, OPENER_DEBUG, file, &e), "symbols");
	expect_refused(&o, OPENER_MODULE, file, BT_E_NOTFOUND);
	expect_refused(&o, OPENER_DEBUG, other, BT_E_NOTFOUND);
	assert_ok(opener_local_debug_dir(&o, "", &e), &e);
	expect_refused(&o, OPENER_DEBUG, other, BT_E_NOTFOUND);
	assert_ok(opener_local_debug_dir(&o, "/", &e), &e);
	expect_str(content_of(&o, OPENER_DEBUG, other, &e), "not below");
	o.debug_dirs.limit = o.debug_dirs.count;
	expect_code(opener_local_debug_dir(&o, "/x", &e), &e, BT_E_LIMIT);
	test_alloc_allow(0);
	expect_code(opener_local_debug_dir(&o, "/x", &e), &e, BT_E_NOMEM);
	expect_true(test_alloc_restore());
	opener_local_deinit(&o);
}

TEST(bad_sysroot)
{
	const char *file = make_file("file", "x");
	struct opener_local o;
	bt_error_t e;

	expect_code(
	    opener_local_init(&o, test_path("none"), &e), &e, BT_E_NOTFOUND);
	expect_code(opener_local_init(&o, file, &e), &e, BT_E_OS);
	opener_local_deinit(&o); /* harmless after a failure */
	test_alloc_allow(0);
	expect_code(opener_local_init(&o, test_dir(), &e), &e, BT_E_NOMEM);
	expect_true(test_alloc_restore());
}

TEST(kernel_without_openat2)
{
	const char *path = make_file("file", "hello");
	struct opener_local o;
	bt_error_t e;

	assert_ok(opener_local_init(&o, NULL, &e), &e);
	test_deny(SYS_openat2, ENOSYS);
	expect_str(content_of(&o, OPENER_MODULE, path, &e), "hello");
	opener_local_deinit(&o);
	/* With a sysroot nothing else keeps us inside: an honest failure. */
	assert_ok(opener_local_init(&o, "/", &e), &e);
	expect_refused(&o, OPENER_MODULE, path, BT_E_OS);
	expect_str(content_of(&o, OPENER_CORE, path, &e), "hello");
	opener_local_deinit(&o);
}

TEST(endless_race_ends)
{
	struct opener_local o;
	bt_error_t e;

	assert_ok(opener_local_init(&o, "/", &e), &e);
	test_deny(SYS_openat2, EAGAIN);
	expect_refused(&o, OPENER_MODULE, "/etc/passwd", BT_E_OS);
	opener_local_deinit(&o);
}

TEST(stat_that_fails)
{
	const char *path = make_file("file", "x");
	struct opener_local o;
	bt_error_t e;

	assert_ok(opener_local_init(&o, NULL, &e), &e);
	test_deny(SYS_newfstatat, EIO);
	test_deny(SYS_fstat, EIO);
	expect_refused(&o, OPENER_CORE, path, BT_E_OS);
	opener_local_deinit(&o);
}

/* ---- directories that the user attaches ---- */

TEST(attached_files)
{
	struct opener_local o;
	bt_error_t e;

	assert_int(mkdir(test_path("d"), 0700), 0);
	assert_int(mkdir(test_path("d/sub"), 0700), 0);
	(void)make_file("d/sub/file", "inside");
	(void)make_file("secret", "outside");
	assert_int(symlink("../secret", test_path("d/link")), 0);
	assert_int(symlink("..", test_path("d/up")), 0);
	assert_int(symlink("d", test_path("named")), 0);
	assert_int(mkfifo(test_path("d/fifo"), 0600), 0);
	assert_ok(opener_local_init(&o, NULL, &e), &e);

	expect_str(
	    content_of(&o, OPENER_ATTACHED, test_path("d//sub/file"), &e),
	    "inside");
	/* The directory itself may be named by a link. */
	expect_str(
	    content_of(&o, OPENER_ATTACHED, test_path("named//sub/file"), &e),
	    "inside");
	static const char *const refused[] = {"d//link", "d//up/secret",
	    "d//../secret", "d//fifo", "d//none", "none//x", "secret//x",
	    "d/sub/file"};
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		expect_str(
		    content_of(&o, OPENER_ATTACHED, test_path(refused[i]), &e),
		    "");
		expect_true(e.code != BT_OK);
	}
	int fd = opener_open(&o.base, OPENER_ATTACHED, test_path("d//."), &e);
	struct stat st;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	expect_true(S_ISDIR(st.st_mode));
	(void)close(fd);
	opener_local_deinit(&o);
}

TEST(attached_base)
{
	expect_uint(opener_attached_base("a//b/c"), 1);
	expect_uint(opener_attached_base("a///b"), 2);
	expect_uint(opener_attached_base("a//b//c"), 4);
	expect_uint(opener_attached_base("a/b"), 0);
	expect_uint(opener_attached_base(""), 0);
}

/* ---- files of a live process ---- */

TEST(files_of_a_process)
{
	struct opener_local o;
	struct opener_process p = {-1, -1, -1};
	const char *path = make_file("file", "content");
	char tid[16];
	static const char *const bad[] = {"../exe", "0-1/../../exe", "", "x",
	    "0000000000000000000000000000000000000000000000000000000000000000"};
	bt_error_t e;

	assert_ok(opener_local_init(&o, NULL, &e), &e);
	expect_str(content_of(&o, OPENER_ROOT, path, &e), "");
	expect_uint(e.code, BT_E_NOTFOUND);
	expect_int(opener_open(&o.base, OPENER_PROGRAM, "exe", &e), -1);
	expect_int(opener_open(&o.base, OPENER_MAPPED, "1-2", &e), -1);
	expect_int(opener_open(&o.base, OPENER_THREAD, "1", &e), -1);

	p.root_fd = open(test_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	p.mm_fd = p.proc_fd = open(
	    "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	opener_local_process(&o, &p);
	expect_str(content_of(&o, OPENER_ROOT, "/../../file", &e), "content");
	int fd = opener_open(&o.base, OPENER_PROGRAM, "exe", &e);

	expect_true(fd >= 0);
	(void)close(fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		expect_int(opener_open(&o.base, OPENER_MAPPED, bad[i], &e), -1);
		expect_int(opener_open(&o.base, OPENER_THREAD, bad[i], &e), -1);
	}
	(void)snprintf(tid, sizeof(tid), "%d", (int)getpid());
	expect_true(
	    strncmp(content_of(&o, OPENER_THREAD, tid, &e), "Name:", 5) == 0);
	(void)close(p.root_fd);
	(void)close(p.mm_fd);
	opener_local_deinit(&o);
}

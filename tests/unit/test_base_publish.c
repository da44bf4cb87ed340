/* SPDX-License-Identifier: MIT */
/*
 * Publishing: the file is there whole under the right name, or nothing is, and
 * never is anything left beside it. Every test runs twice: with a temporary
 * file without a name, and with one (as on file systems without O_TMPFILE).
 */
#include "base/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/test.h"

#define FOREACH_WAY(NAMED)                                                     \
	for (int NAMED = 0; NAMED < 2;                                         \
	     (NAMED == 0 ? name_temporary() : (void)0), NAMED++)

/* From now on the temporary file has a name. */
static void
name_temporary(void)
{
	test_deny_flag(SYS_openat, 2, O_TMPFILE, EOPNOTSUPP);
}

static unsigned
entries(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	unsigned count = 0;

	assert_not_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0;
	(void)closedir(dir);
	return count;
}

/* A new empty directory for each turn. */
static const char *
new_dir(void)
{
	static int number;
	char name[20];
	const char *path;

	(void)snprintf(name, sizeof(name), "d%d", number++);
	path = test_path(name);
	assert_int(mkdir(path, 0700), 0);
	return path;
}

static const char *
in(const char *dir, const char *name)
{
	return test_format("%s/%s", dir, name);
}

static bool
publish(const char *path, bool overwrite, bool may_number, const char *content,
    char **name, bt_error_t *e)
{
	struct publish p;

	*name = NULL;
	if (!publish_begin(&p, path, overwrite, may_number, e))
		return false;
	if (!publish_write(&p, content, strlen(content), e)) {
		publish_abort(&p);
		return false;
	}
	return publish_commit(&p, overwrite, may_number, name, e);
}

static void
expect_content(const char *path, const char *want)
{
	char *content = test_read_file(path, NULL);

	expect_str(content, want);
	free(content);
}

TEST(new_file)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir(), *path = in(dir, "a.btt");
		struct stat st;
		bt_error_t e;
		char *name;

		(void)umask(named ? 0777 : 0);
		assert_ok(publish(path, false, false, "hello", &name, &e), &e);
		expect_str(name, path);
		expect_int(stat(path, &st), 0);
		expect_uint(st.st_mode & 07777, 0600);
		expect_uint(st.st_nlink, 1);
		expect_content(path, "hello");
		expect_uint(entries(dir), 1);
		free(name);
	}
}

TEST(nothing_appears_before_commit_or_after_abort)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir(), *path = in(dir, "a.btt");
		struct publish p;
		bt_error_t e;

		assert_ok(publish_begin(&p, path, false, false, &e), &e);
		assert_ok(publish_write(&p, "x", 1, &e), &e);
		expect_int(access(path, F_OK), -1);
		expect_uint(entries(dir), named ? 1 : 0);
		expect_true((fcntl(p.fd, F_GETFD) & FD_CLOEXEC) != 0);
		publish_abort(&p);
		expect_uint(entries(dir), 0);
		expect_int(p.fd, -1);
		publish_abort(&p); /* harmless */
	}
}

TEST(relative_path)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir();
		bt_error_t e;
		char *name;

		assert_int(chdir(dir), 0);
		assert_int(mkdir("sub", 0700), 0);
		assert_ok(publish("a", false, false, "1", &name, &e), &e);
		expect_str(name, "a");
		free(name);
		assert_ok(publish("sub/a", false, false, "2", &name, &e), &e);
		expect_str(name, "sub/a");
		free(name);
		expect_content(in(dir, "a"), "1");
		expect_content(in(dir, "sub/a"), "2");
		assert_int(chdir("/"), 0);
	}
}

TEST(existing_name_is_refused)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir(), *path = in(dir, "a.btt");
		struct publish p;
		bt_error_t e;
		char *name;

		test_write_file(path, "old", 3);
		expect_code(publish(path, false, false, "new", &name, &e), &e,
		    BT_E_USAGE);
		expect_content(path, "old");
		expect_uint(entries(dir), 1);
		/* Also when it comes into being in between. */
		path = in(dir, "b.btt");
		assert_ok(publish_begin(&p, path, false, false, &e), &e);
		test_write_file(path, "other", 5);
		expect_code(publish_commit(&p, false, false, &name, &e), &e,
		    BT_E_USAGE);
		expect_contains(e.text, path);
		expect_content(path, "other");
		expect_uint(entries(dir), 2);
	}
}

TEST(symlinks_are_never_followed)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir(), *path = in(dir, "a.btt");
		const char *victim = in(dir, "victim");
		struct publish p;
		bt_error_t e;
		char *name;

		test_write_file(victim, "old", 3);
		for (int dangling = 0; dangling < 2; dangling++) {
			(void)unlink(path);
			assert_int(
			    symlink(dangling ? in(dir, "none") : victim, path),
			    0);
			for (int overwrite = 0; overwrite < 2; overwrite++)
				expect_code(publish(path, overwrite, false,
						"new", &name, &e),
				    &e, BT_E_USAGE);
			expect_contains(e.text, "symbolic link");
			expect_content(victim, "old");
			expect_int(access(in(dir, "none"), F_OK), -1);
			expect_uint(entries(dir), 2);
		}
		/* Put there in between. */
		for (int overwrite = 0; overwrite < 2; overwrite++) {
			(void)unlink(path);
			assert_ok(
			    publish_begin(&p, path, overwrite, false, &e), &e);
			assert_int(symlink(victim, path), 0);
			expect_code(
			    publish_commit(&p, overwrite, false, &name, &e), &e,
			    BT_E_USAGE);
			expect_content(victim, "old");
			expect_uint(entries(dir), 2);
		}
	}
}

TEST(overwrite_replaces_a_regular_file)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir(), *path = in(dir, "a.btt");
		struct stat st;
		bt_error_t e;
		char *name;

		test_write_file(path, "old", 3);
		assert_int(chmod(path, 0644), 0);
		assert_int(link(path, in(dir, "other")), 0);
		assert_ok(publish(path, true, false, "new", &name, &e), &e);
		expect_str(name, path);
		free(name);
		expect_content(path, "new");
		/* Replaced, not written into. */
		expect_content(in(dir, "other"), "old");
		expect_int(stat(path, &st), 0);
		expect_uint(st.st_mode & 07777, 0600);
		expect_uint(entries(dir), 2);
		/* And what is not there is made. */
		path = in(dir, "b.btt");
		assert_ok(publish(path, true, true, "new", &name, &e), &e);
		expect_str(name, path);
		free(name);
		expect_content(path, "new");
		expect_uint(entries(dir), 3);
	}
}

TEST(only_regular_files_are_overwritten)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir(), *fifo = in(dir, "fifo");
		bt_error_t e;
		char *name;

		assert_int(mkfifo(fifo, 0600), 0);
		expect_code(publish(fifo, true, false, "new", &name, &e), &e,
		    BT_E_USAGE);
		expect_code(publish(fifo, false, false, "new", &name, &e), &e,
		    BT_E_USAGE);
		expect_uint(entries(dir), 1);
		assert_ok(publish(fifo, false, true, "new", &name, &e), &e);
		expect_str(name, in(dir, "fifo.1"));
		free(name);
	}
}

TEST(numbers)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir();
		static const char *const names[][3] = {
		    {"a.btt", "a.1.btt", "a.2.btt"},
		    {"a", "a.1", "a.2"},
		    {".btt", ".btt.1", ".btt.2"},
		    {"x.btt.y", "x.btt.y.1", "x.btt.y.2"},
		};
		bt_error_t e;
		char *name;

		for (size_t i = 0; i < 4; i++) {
			for (size_t j = 0; j < 3; j++) {
				assert_ok(publish(in(dir, names[i][0]), false,
					      true, "x", &name, &e),
				    &e);
				expect_str(name, in(dir, names[i][j]));
				free(name);
			}
		}
		/* A symlink takes a number, too. */
		assert_int(symlink("none", in(dir, "l.btt")), 0);
		assert_ok(
		    publish(in(dir, "l.btt"), false, true, "x", &name, &e), &e);
		expect_str(name, in(dir, "l.1.btt"));
		free(name);
		expect_uint(entries(dir), 14);
	}
}

TEST(directories_and_bad_names)
{
	FOREACH_WAY(named)
	{
		const char *dir = new_dir();
		const char *file = in(dir, "file");
		char longer[300];
		bt_error_t e;
		char *name;

		test_write_file(file, "", 0);
		memset(longer, 'x', sizeof(longer));
		longer[sizeof(longer) - 1] = '\0';
		const struct {
			const char *path;
			enum bt_error_code code;
		} table[] = {
		    {dir, BT_E_USAGE},
		    {in(dir, ""), BT_E_USAGE},
		    {in(dir, "."), BT_E_USAGE},
		    {in(dir, ".."), BT_E_USAGE},
		    {"", BT_E_USAGE},
		    {"/", BT_E_USAGE},
		    {in(dir, "none/a"), BT_E_NOTFOUND},
		    {in(file, "a"), BT_E_OS},
		    {in(dir, longer), BT_E_OS},
		};
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			for (int may = 0; may < 4; may++)
				expect_code(publish(table[i].path, may & 1,
						may & 2, "x", &name, &e),
				    &e, table[i].code);
		}
		expect_uint(entries(dir), 1);
	}
}

TEST(directory_that_may_not_be_written)
{
	const char *dir = new_dir();
	bt_error_t e;
	char *name;

	assert_int(chmod(dir, 0500), 0);
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		skip("cannot become another user");
	/* Then it cannot even be entered: the owner is another. */
	expect_code(publish(in(dir, "a"), false, false, "x", &name, &e), &e,
	    BT_E_PERMISSION);
	expect_contains(e.text, dir);
}

TEST(file_size_limit)
{
	struct rlimit limit = {1000, 1000};
	static char data[5000];

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int(setrlimit(RLIMIT_FSIZE, &limit), 0);
	FOREACH_WAY(named)
	{
		const char *dir = new_dir();
		struct publish p;
		bt_error_t e;

		assert_ok(
		    publish_begin(&p, in(dir, "a"), false, false, &e), &e);
		/* The first write is short, the next fails. */
		expect_code(
		    publish_write(&p, data, sizeof(data), &e), &e, BT_E_OS);
		expect_int(e.errnum, EFBIG);
		publish_abort(&p);
		expect_uint(entries(dir), 0);
	}
}

TEST(full_disk)
{
	static char data[256 * 1024];
	const char *dir = new_dir();

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", dir, "tmpfs", 0, "size=64k") != 0)
		skip("cannot mount a small file system");
	FOREACH_WAY(named)
	{
		struct publish p;
		bt_error_t e;

		assert_ok(
		    publish_begin(&p, in(dir, "a"), false, false, &e), &e);
		expect_code(
		    publish_write(&p, data, sizeof(data), &e), &e, BT_E_OS);
		expect_int(e.errnum, ENOSPC);
		expect_contains(e.text, in(dir, "a"));
		publish_abort(&p);
		expect_uint(entries(dir), 0);
	}
}

static void
on_alarm(int signal_number)
{
	(void)signal_number;
}

/* Into a pipe whose reader is slow, with a signal every few milliseconds. */
TEST(interrupted_writes_go_on)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 3000}, {0, 3000}};
	static char data[200000];
	int pipe_fds[2];
	struct publish p;
	bt_error_t e;

	assert_ok(publish_begin(&p, in(new_dir(), "a"), false, false, &e), &e);
	assert_int(pipe(pipe_fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		ssize_t n, all = 0;

		(void)close(pipe_fds[1]);
		(void)usleep(50000);
		while ((n = read(pipe_fds[0], data, 30000)) > 0) {
			all += n;
			(void)usleep(10000);
		}
		_exit(all == sizeof(data) ? 0 : 1);
	}
	assert_int(dup2(pipe_fds[1], p.fd), p.fd);
	(void)close(pipe_fds[1]);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	expect_ok(publish_write(&p, data, sizeof(data), &e), &e);
	publish_abort(&p);
	int status = -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	expect_int(status, 0);
}

TEST(pipe_that_is_full)
{
	int pipe_fds[2];
	struct publish p;
	bt_error_t e;

	assert_ok(publish_begin(&p, in(new_dir(), "a"), false, false, &e), &e);
	/* It takes a page and no more, and does not wait. */
	assert_int(pipe2(pipe_fds, O_NONBLOCK), 0);
	(void)fcntl(pipe_fds[1], F_SETPIPE_SZ, 4096);
	assert_int(dup2(pipe_fds[1], p.fd), p.fd);
	static char data[10000];
	expect_code(publish_write(&p, data, sizeof(data), &e), &e, BT_E_OS);
	expect_int(e.errnum, EAGAIN);
	expect_ok(publish_write(&p, data, 0, &e), &e);
	publish_abort(&p);
}

TEST(every_allocation_may_fail)
{
	FOREACH_WAY(named)
	{
		for (int overwrite = 0; overwrite < 2; overwrite++) {
			const char *dir = new_dir(), *path = in(dir, "a.btt");
			bool refused = true;
			bt_error_t e;
			char *name;

			test_write_file(path, "old", 3);
			for (size_t n = 0; refused; n++) {
				bool done;

				assert_true(n < 20);
				test_alloc_allow(n);
				done = publish(path, overwrite, !overwrite, "x",
				    &name, &e);
				refused = test_alloc_restore();
				expect_true(done == !refused);
				if (done) {
					free(name);
					continue;
				}
				expect_uint(e.code, BT_E_NOMEM);
				expect_uint(entries(dir), 1);
			}
			expect_uint(entries(dir), overwrite ? 1 : 2);
			expect_content(path, overwrite ? "x" : "old");
		}
	}
}

/* Each system call refused on its own: an error, and nothing left behind. */
static void
expect_failure(long number, int errnum, bool overwrite, bool named)
{
	const char *dir = new_dir(), *path = in(dir, "a.btt");
	bt_error_t e;
	char *name;

	if (overwrite)
		test_write_file(path, "old", 3);
	if (named)
		name_temporary();
	test_deny(number, errnum);
	expect_code(publish(path, overwrite, false, "new", &name, &e), &e,
	    errnum == EACCES ? BT_E_PERMISSION : BT_E_OS);
	expect_int(e.errnum, errnum);
	expect_uint(entries(dir), overwrite ? 1 : 0);
	if (overwrite)
		expect_content(path, "old");
}

#define REFUSED(NAME, NUMBER, ERRNUM, OVERWRITE, NAMED)                        \
	TEST(NAME)                                                             \
	{                                                                      \
		expect_failure(NUMBER, ERRNUM, OVERWRITE, NAMED);              \
	}
REFUSED(fchmod_refused, SYS_fchmod, EIO, false, false)
REFUSED(fchmod_refused_named, SYS_fchmod, EIO, false, true)
REFUSED(write_refused, SYS_write, EIO, false, false)
REFUSED(fsync_refused, SYS_fsync, EIO, false, false)
REFUSED(fsync_refused_named, SYS_fsync, ENOSPC, true, true)
REFUSED(linkat_refused, SYS_linkat, EACCES, false, false)
REFUSED(linkat_refused_overwrite, SYS_linkat, EIO, true, false)
REFUSED(rename_refused, SYS_renameat2, EIO, false, true)
REFUSED(rename_refused_overwrite, SYS_renameat, EIO, true, false)
REFUSED(rename_refused_overwrite_named, SYS_renameat, EIO, true, true)

TEST(lookup_refused)
{
	const char *path = in(new_dir(), "a");
	bt_error_t e;
	char *name;

	test_deny(SYS_newfstatat, EIO);
	expect_code(publish(path, false, false, "x", &name, &e), &e, BT_E_OS);
	expect_int(e.errnum, EIO);
	expect_int(access(path, F_OK), -1);
}

TEST(creating_refused)
{
	const char *dir = new_dir();
	bt_error_t e;
	char *name;

	test_deny_flag(SYS_openat, 2, O_WRONLY, EROFS);
	expect_code(
	    publish(in(dir, "a"), false, false, "x", &name, &e), &e, BT_E_OS);
	expect_int(e.errnum, EROFS);
	expect_contains(e.text, dir);
}

TEST(file_system_that_cannot_synchronise)
{
	const char *path = in(new_dir(), "a");
	bt_error_t e;
	char *name;

	test_deny(SYS_fsync, EINVAL);
	assert_ok(publish(path, false, false, "x", &name, &e), &e);
	expect_content(path, "x");
	free(name);
}

/* File systems without renameat2's flag: a link, still never replacing. */
TEST(file_system_without_noreplace)
{
	const char *dir = new_dir(), *path = in(dir, "a");
	bt_error_t e;
	char *name;

	name_temporary();
	test_deny(SYS_renameat2, EINVAL);
	assert_ok(publish(path, false, true, "x", &name, &e), &e);
	expect_str(name, path);
	free(name);
	assert_ok(publish(path, false, true, "y", &name, &e), &e);
	expect_str(name, in(dir, "a.1"));
	free(name);
	expect_content(path, "x");
	expect_uint(entries(dir), 2);
	test_deny(SYS_linkat, EPERM);
	expect_code(publish(in(dir, "b"), false, false, "x", &name, &e), &e,
	    BT_E_PERMISSION);
	expect_uint(entries(dir), 2);
}

TEST(no_random_numbers)
{
	const char *dir = new_dir(), *path = in(dir, "a");
	bt_error_t e;
	char *name;

	name_temporary();
	test_deny(SYS_getrandom, ENOSYS);
	assert_ok(publish(path, false, false, "x", &name, &e), &e);
	expect_content(path, "x");
	expect_uint(entries(dir), 1);
	free(name);
}

/* Without /proc an unnamed file could never get a name. */
TEST(no_proc)
{
	const char *dir = new_dir(), *path = in(dir, "a");
	bt_error_t e;
	char *name;

	test_deny(SYS_access, ENOENT);
	test_deny(SYS_faccessat, ENOENT);
	assert_ok(publish(path, false, false, "x", &name, &e), &e);
	expect_uint(entries(dir), 1);
	expect_int(open(in(dir, "a"), O_RDONLY) >= 0, true);
	free(name);
}

TEST(killed_in_the_middle_leaves_nothing)
{
	const char *dir = new_dir();
	struct publish p;
	bt_error_t e;

	pid_t pid = fork();
	if (pid == 0) {
		if (publish_begin(&p, in(dir, "a"), false, false, &e) &&
		    publish_write(&p, "x", 1, &e))
			(void)raise(SIGKILL);
		_exit(1);
	}
	int status = 0;
	assert_int(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	expect_uint(entries(dir), 0);
}

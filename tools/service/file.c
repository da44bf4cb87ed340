/* SPDX-License-Identifier: MIT */
/*
 * Small files, and changes of names that survive a loss of power: data first,
 * then the name, then the directory.
 */
#include "service/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write.h"

enum { READ_STEP = 16384, REMOVE_DEPTH = 3, NAME_ROOM = 300 };

bool
file_write(int fd, const void *data, size_t size, bt_error_t *e)
{

	return write_all(fd, data, size) ||
	    bt_fail_os(e, errno, "cannot write");
}

bool
file_read_fd(int fd, struct buf *out, bt_error_t *e)
{
	char step[READ_STEP];

	for (;;) {
		ssize_t n = read(fd, step, sizeof(step));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bt_fail_os(e, errno, "cannot read");
		if (n == 0)
			return true;
		buf_append(out, step, (size_t)n);
		if (out->failed)
			return bt_fail(e, BT_E_LIMIT, "too long");
	}
}

bool
file_read_at(int dir_fd, const char *name, struct buf *out, bt_error_t *e)
{
	int fd = openat(dir_fd, name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool good;

	if (fd < 0)
		return bt_fail_os(e, errno, "cannot open %s", name);
	if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode) == false) {
		(void)close(fd);
		return bt_fail(
		    e, BT_E_FORMAT, "%s is not a regular file", name);
	}
	good = file_read_fd(fd, out, e) || bt_wrap(e, "%s", name);
	(void)close(fd);
	return good;
}

bool
file_sync_dir(int dir_fd, bt_error_t *e)
{

	/* EINVAL: a file system that has nothing to synchronise. */
	if (fsync(dir_fd) == 0 || errno == EINVAL)
		return true;
	return bt_fail_os(e, errno, "cannot synchronise a directory");
}

static bool
write_and_sync(int dir_fd, const char *name, const void *data, size_t size,
    mode_t mode, bt_error_t *e)
{
	int fd = openat(dir_fd, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	bool good;

	if (fd < 0)
		return bt_fail_os(e, errno, "cannot create %s", name);
	good = file_write(fd, data, size, e);
	if (good && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		good = bt_fail_os(e, errno, "cannot write %s", name);
	(void)close(fd);
	return good;
}

bool
file_replace_at(int dir_fd, const char *name, const void *data, size_t size,
    mode_t mode, bt_error_t *e)
{
	char tmp[NAME_ROOM];

	if (snprintf(tmp, sizeof(tmp), ".%s.tmp", name) >= (int)sizeof(tmp))
		return bt_fail(e, BT_E_LIMIT, "the name %s is too long", name);
	if (write_and_sync(dir_fd, tmp, data, size, mode, e) == false) {
		(void)unlinkat(dir_fd, tmp, 0);
		return false;
	}
	if (renameat(dir_fd, tmp, dir_fd, name) != 0) {
		(void)bt_fail_os(e, errno, "cannot write %s", name);
		(void)unlinkat(dir_fd, tmp, 0);
		return false;
	}
	return file_sync_dir(dir_fd, e);
}

bool
file_move(
    int from_fd, const char *from, int to_fd, const char *to, bt_error_t *e)
{
	int failed = renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE);

	/* A file system without the flag. Names here are unique, and whoever
	 * moves an object has its lock. */
	if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) {
		if (faccessat(to_fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			errno = EEXIST;
		else
			failed = renameat(from_fd, from, to_fd, to);
	}
	if (failed != 0 && errno == EEXIST)
		return bt_fail(e, BT_E_USAGE, "%s exists already", to);
	if (failed != 0)
		return bt_fail_os(e, errno, "cannot move %s", from);
	return file_sync_dir(to_fd, e) &&
	    (from_fd == to_fd || file_sync_dir(from_fd, e));
}

static bool remove_below(
    int dir_fd, const char *name, int depth, bt_error_t *e);

/* Everything in an open directory; closes it. */
static bool
empty_dir(int fd, int depth, bt_error_t *e)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	bool good = true;

	if (dir == NULL) {
		(void)close(fd);
		return bt_fail_os(e, errno, "cannot list a directory");
	}
	while (good && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			good = remove_below(
			    dirfd(dir), entry->d_name, depth + 1, e);
	(void)closedir(dir);
	return good;
}

static bool
remove_below(int dir_fd, const char *name, int depth, bt_error_t *e)
{
	int fd;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return bt_fail_os(e, errno, "cannot remove %s", name);
	if (depth >= REMOVE_DEPTH)
		return bt_fail(e, BT_E_LIMIT, "%s is too deep to remove", name);
	fd = openat(
	    dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return bt_fail_os(e, errno, "cannot remove %s", name);
	if (empty_dir(fd, depth, e) == false)
		return false;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	return bt_fail_os(e, errno, "cannot remove %s", name);
}

bool
file_remove(int dir_fd, const char *name, bt_error_t *e)
{

	return remove_below(dir_fd, name, 0, e);
}

/* A new directory is lost with the power until the one above it is safe. */
static bool
make_dir(const char *path, mode_t mode)
{
	char *above;
	bool good;
	int fd;

	if (mkdir(path, mode) != 0)
		return errno == EEXIST;
	above = strdup(path);
	if (above == NULL)
		return false;
	fd = open(dirname(above), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		(void)close(fd);
	free(above);
	return good;
}

bool
file_make_dirs(const char *path, mode_t mode, bt_error_t *e)
{
	char *copy = strdup(path);
	bool good = copy != NULL;

	if (copy == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	for (char *p = copy + 1; good && *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		good = make_dir(copy, 0755);
		*p = '/';
	}
	good = good && make_dir(copy, mode);
	if (good == false)
		(void)bt_fail_os(e, errno, "cannot create %s", path);
	free(copy);
	return good;
}

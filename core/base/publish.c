/* SPDX-License-Identifier: MIT */
/*
 * Files that appear whole or not at all. The temporary file has no name where
 * the file system allows it (O_TMPFILE), so that not even a killed process
 * leaves anything behind; elsewhere it has a random hidden one.
 */
#include "base/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write.h"

#define FILE_MODE 0600
#define MOST_NUMBERS 10000
#define SUFFIX ".btt"

static void
clear(struct publish *p)
{
	*p = (struct publish){.dir_fd = -1, .fd = -1};
}

void
publish_abort(struct publish *p)
{
	if (p->tmp_name != NULL && p->dir_fd >= 0)
		(void)unlinkat(p->dir_fd, p->tmp_name, 0);
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->dir_fd >= 0)
		(void)close(p->dir_fd);
	free(p->dir);
	free(p->name);
	free(p->tmp_name);
	clear(p);
}

/* dir keeps its last slash, so that dir and name give the path again. */
static bool
split_path(struct publish *p, const char *path, bt_error_t *e)
{
	const char *slash = strrchr(path, '/');
	size_t dir_len = slash != NULL ? (size_t)(slash - path) + 1 : 0;
	const char *name = path + dir_len;

	if (*path == '\0')
		return bt_fail(e, BT_E_USAGE, "the output file has no name");
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return bt_fail(e, BT_E_USAGE, "%s is a directory", path);
	p->dir = strndup(path, dir_len);
	p->name = strdup(name);
	if (p->dir == NULL || p->name == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	return true;
}

static const char *
kind_name(mode_t mode)
{
	if (S_ISLNK(mode))
		return "a symbolic link";
	return S_ISREG(mode) ? "a file" : "not a regular file";
}

/* What already has the name, and may it be there? */
static bool
check_name(
    const struct publish *p, bool overwrite, bool may_number, bt_error_t *e)
{
	struct stat st;

	if (fstatat(p->dir_fd, p->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return true;
		return bt_fail_os(
		    e, errno, "cannot look up %s%s", p->dir, p->name);
	}
	if (S_ISDIR(st.st_mode))
		return bt_fail(
		    e, BT_E_USAGE, "%s%s is a directory", p->dir, p->name);
	if (overwrite && !S_ISREG(st.st_mode))
		return bt_fail(e, BT_E_USAGE,
		    "%s%s is %s, only a regular file is overwritten", p->dir,
		    p->name, kind_name(st.st_mode));
	if (!overwrite && !may_number)
		return bt_fail(e, BT_E_USAGE, "%s%s exists already (%s)",
		    p->dir, p->name, kind_name(st.st_mode));
	return true;
}

/* A random hidden name; NULL when memory is out. */
static char *
random_name(void)
{
	uint64_t number = 0;
	char *name;

	/* Uniqueness comes from O_EXCL; randomness only avoids retries. */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = (uint64_t)getpid() ^ (uint64_t)(uintptr_t)&number;
	if (asprintf(&name, PUBLISH_TEMPORARY "%016llx",
		(unsigned long long)number) < 0)
		return NULL;
	return name;
}

static bool
open_named(struct publish *p, bt_error_t *e)
{
	int errnum = EEXIST;

	for (int i = 0; i < 100 && errnum == EEXIST; i++) {
		char *name = random_name();

		if (name == NULL)
			return bt_fail(e, BT_E_NOMEM, "out of memory");
		p->fd = openat(p->dir_fd, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    FILE_MODE);
		if (p->fd >= 0) {
			p->tmp_name = name;
			return true;
		}
		errnum = errno;
		free(name);
	}
	return bt_fail_os(e, errnum, "cannot create a file in %s",
	    *p->dir != '\0' ? p->dir : ".");
}

/* Where the kernel shows an open file; linkat gives it a name from there. */
static void
fd_path(int fd, char out[64])
{
	(void)snprintf(out, 64, "/proc/self/fd/%d", fd);
}

static bool
open_unnamed(struct publish *p)
{
	char path[64];

	p->fd = openat(
	    p->dir_fd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, FILE_MODE);
	if (p->fd < 0)
		return false;
	fd_path(p->fd, path);
	if (access(path, F_OK) == 0)
		return true;
	(void)close(p->fd);
	p->fd = -1;
	return false;
}

/* In the directory that is open. */
static bool
begin_file(struct publish *p, bool overwrite, bool may_number, bt_error_t *e)
{
	if (!check_name(p, overwrite, may_number, e) ||
	    (!open_unnamed(p) && !open_named(p, e)))
		return false;
	/* The mode above went through the umask. */
	return fchmod(p->fd, FILE_MODE) == 0 ||
	    bt_fail_os(
		e, errno, "cannot set the mode of %s%s", p->dir, p->name);
}

bool
publish_begin(struct publish *p, const char *path, bool overwrite,
    bool may_number, bt_error_t *e)
{
	clear(p);
	if (!split_path(p, path, e))
		goto fail;
	p->dir_fd = open(
	    *p->dir != '\0' ? p->dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir_fd < 0) {
		(void)bt_fail_os(e, errno, "cannot open directory %s",
		    *p->dir != '\0' ? p->dir : ".");
		goto fail;
	}
	if (begin_file(p, overwrite, may_number, e))
		return true;
fail:
	publish_abort(p);
	return false;
}

bool
publish_begin_at(struct publish *p, int dir_fd, const char *dir,
    const char *name, bt_error_t *e)
{
	clear(p);
	p->name = strdup(name);
	if (asprintf(&p->dir, "%s/", dir) < 0)
		p->dir = NULL;
	p->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	if (p->name == NULL || p->dir == NULL)
		(void)bt_fail(e, BT_E_NOMEM, "out of memory");
	else if (p->dir_fd < 0)
		(void)bt_fail_os(e, errno, "cannot open directory %s", dir);
	else if (begin_file(p, false, false, e))
		return true;
	publish_abort(p);
	return false;
}

bool
publish_write(struct publish *p, const void *data, size_t size, bt_error_t *e)
{

	return write_all(p->fd, data, size) ||
	    bt_fail_os(e, errno, "cannot write %s%s", p->dir, p->name);
}

/* Gives the file the name unless the name is taken (EEXIST). 0 or an errno. */
static int
take_name(struct publish *p, const char *name)
{
	char path[64];

	if (p->tmp_name == NULL) {
		fd_path(p->fd, path);
		return linkat(AT_FDCWD, path, p->dir_fd, name,
			   AT_SYMLINK_FOLLOW) == 0
		    ? 0
		    : errno;
	}
	if (renameat2(p->dir_fd, p->tmp_name, p->dir_fd, name,
		RENAME_NOREPLACE) == 0) {
		free(p->tmp_name);
		p->tmp_name = NULL;
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	/* A file system without the flag: a link never replaces either; the
	 * temporary name goes with the clean-up. */
	return linkat(p->dir_fd, p->tmp_name, p->dir_fd, name, 0) == 0 ? 0
								       : errno;
}

/* Gives the file the name, replacing a regular file. 0 or an errno. */
static int
replace_name(struct publish *p, const char *name)
{
	struct stat st;
	int errnum = EEXIST;

	for (int i = 0; i < 100 && errnum == EEXIST && p->tmp_name == NULL;
	     i++) {
		p->tmp_name = random_name();
		if (p->tmp_name == NULL)
			return ENOMEM;
		char path[64];

		fd_path(p->fd, path);
		if (linkat(AT_FDCWD, path, p->dir_fd, p->tmp_name,
			AT_SYMLINK_FOLLOW) == 0)
			break;
		errnum = errno;
		free(p->tmp_name);
		p->tmp_name = NULL;
	}
	if (p->tmp_name == NULL)
		return errnum;
	/* Looked at once more: rename itself replaces anything but a
	 * directory. A symbolic link it would replace, not follow. */
	if (fstatat(p->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISREG(st.st_mode))
		return EEXIST;
	if (renameat(p->dir_fd, p->tmp_name, p->dir_fd, name) != 0)
		return errno;
	free(p->tmp_name);
	p->tmp_name = NULL;
	return 0;
}

/* "a.btt", 2 -> "a.2.btt"; "a", 2 -> "a.2"; 0 is the name itself. */
static char *
numbered_name(const char *name, unsigned number)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX);
	char *out;

	if (number == 0)
		return strdup(name);
	if (len <= suffix || strcmp(name + len - suffix, SUFFIX) != 0)
		suffix = 0;
	if (asprintf(&out, "%.*s.%u%s", (int)(len - suffix), name, number,
		name + len - suffix) < 0)
		return NULL;
	return out;
}

/* Tries the name and then its numbers. *path is what was tried last, malloc'd
 * or NULL. 0 or an errno. */
static int
appear(struct publish *p, bool overwrite, bool may_number, char **path)
{
	unsigned most = may_number && !overwrite ? MOST_NUMBERS : 0;
	int errnum = EEXIST;

	*path = NULL;
	for (unsigned i = 0; i <= most && errnum == EEXIST; i++) {
		char *name = numbered_name(p->name, i);

		free(*path);
		*path = NULL;
		if (name == NULL)
			return ENOMEM;
		if (asprintf(path, "%s%s", p->dir, name) < 0) {
			*path = NULL;
			free(name);
			return ENOMEM;
		}
		errnum = overwrite ? replace_name(p, name) : take_name(p, name);
		free(name);
	}
	return errnum;
}

bool
publish_commit(struct publish *p, bool overwrite, bool may_number,
    char **path_out, bt_error_t *e)
{
	char *path = NULL;
	int errnum;

	/* EINVAL: a file system that has nothing to synchronise. */
	if (fsync(p->fd) != 0 && errno != EINVAL) {
		(void)bt_fail_os(
		    e, errno, "cannot write %s%s", p->dir, p->name);
		publish_abort(p);
		return false;
	}
	errnum = appear(p, overwrite, may_number, &path);
	if (errnum == EEXIST)
		(void)bt_fail(e, BT_E_USAGE, "%s exists already",
		    path != NULL ? path : p->name);
	else if (errnum != 0)
		(void)bt_fail_os(
		    e, errnum, "cannot create %s%s", p->dir, p->name);
	if (errnum == 0) {
		/* So that the name survives a crash of the machine; the data
		 * is safe already. */
		(void)fsync(p->dir_fd);
		if (path_out != NULL) {
			*path_out = path;
			path = NULL;
		}
	}
	free(path);
	publish_abort(p);
	return errnum == 0;
}

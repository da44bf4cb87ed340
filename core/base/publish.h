/* SPDX-License-Identifier: MIT */
/*
 * A file that appears whole or not at all: a temporary file in the same
 * directory (mode 0600 whatever the umask), fsync, then
 * renameat2(RENAME_NOREPLACE); with overwrite, a rename that replaces only a
 * regular file. Symlinks in the final component are never followed. An
 * abandoned or killed publish leaves nothing under the final name.
 */
#ifndef BASE_PUBLISH_H
#define BASE_PUBLISH_H

#include "base/error.h"

/* What the names of temporary files begin with, where they have any. */
#define PUBLISH_TEMPORARY ".inquest."

struct publish {
	int dir_fd;
	int fd; /* where to write */
	char *dir;
	char *name;	/* final name without directory */
	char *tmp_name; /* NULL with O_TMPFILE */
};

/* Opens the temporary file beside path. Fails early with BT_E_USAGE when path
 * names a directory, or exists (also as a symlink) and neither overwrite nor
 * may_number is set. */
bool publish_begin(struct publish *p, const char *path, bool overwrite,
    bool may_number, bt_error_t *e);
/* The same in an open directory, which the caller keeps and may close; dir is
 * its name for messages. The final name must be free. */
bool publish_begin_at(struct publish *p, int dir_fd, const char *dir,
    const char *name, bt_error_t *e);
/* Writes all bytes, retrying short writes and EINTR. */
bool publish_write(
    struct publish *p, const void *data, size_t size, bt_error_t *e);
/* Makes the file appear. With may_number an existing name gets ".1", ".2" …
 * before its ".btt" suffix (or at the end). *path_out is the name it got,
 * malloc'd. Cleans up on failure. */
bool publish_commit(struct publish *p, bool overwrite, bool may_number,
    char **path_out, bt_error_t *e);
void publish_abort(struct publish *p);

#endif /* BASE_PUBLISH_H */

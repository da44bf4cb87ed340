/* SPDX-License-Identifier: MIT */
/*
 * Small files below an open directory. What is written is on the disk before it
 * has its name, and has its name before the call returns; what is read is a
 * regular file (or text of /proc) with a cap. No symbolic link is followed.
 */
#ifndef SERVICE_FILE_H
#define SERVICE_FILE_H

#include "base/buf.h"

#include <sys/types.h>

/* Writes all bytes; EINTR and short writes are dealt with. */
bool file_write(int fd, const void *data, size_t size, bt_error_t *e);
/* Appends what fd has, up to the cap of out. BT_E_LIMIT when there is more. */
bool file_read_fd(int fd, struct buf *out, bt_error_t *e);
/* The same of a file below dir_fd. */
bool file_read_at(int dir_fd, const char *name, struct buf *out, bt_error_t *e);
/* The file is there, whole and safe, or is what it was before. The temporary
 * file is ".NAME.tmp": one writer at a time. */
bool file_replace_at(int dir_fd, const char *name, const void *data,
    size_t size, mode_t mode, bt_error_t *e);
/* fsync of a directory. */
bool file_sync_dir(int dir_fd, bt_error_t *e);
/* Renames, never replacing (BT_E_USAGE when the name is taken), and makes both
 * directories safe. */
bool file_move(
    int from_fd, const char *from, int to_fd, const char *to, bt_error_t *e);
/* Removes a file or a whole directory below dir_fd, at most three levels; true
 * also when there was none. */
bool file_remove(int dir_fd, const char *name, bt_error_t *e);
/* Makes the directory and all above it, safe when the call returns. */
bool file_make_dirs(const char *path, mode_t mode, bt_error_t *e);

#endif /* SERVICE_FILE_H */

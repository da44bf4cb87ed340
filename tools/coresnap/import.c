/* SPDX-License-Identifier: MIT */
/*
 * coresnap import: cores that lie in files already, from systemd-coredump,
 * apport or the kernel. The files stay where they are; each is taken once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "coresnap/command.h"
#include "spool/receive.h"

struct counts {
	unsigned taken, known, failed;
};

static void
import_one(struct command_context *c, int dir_fd, const char *name,
    bool named_by_user, struct counts *n)
{
	struct object_id id;
	bt_error_t e;

	bt_error_clear(&e);
	switch (receive_file(
	    &c->spool, &c->config, &c->log, dir_fd, name, &id, &e)) {
	case RECEIVE_KEPT:
		n->taken++;
		(void)printf("%s %s\n", id.text, name);
		return;
	case RECEIVE_KNOWN:
		n->known++;
		return;
	case RECEIVE_DROPPED:
	case RECEIVE_FAILED:
		/* A directory may hold anything; a file that was named is a
		 * core, or a mistake. */
		if (named_by_user == false && e.code == BT_E_FORMAT)
			return;
		n->failed++;
		if (e.code != BT_OK)
			(void)command_fail(&e);
		return;
	}
}

static void
import_dir(struct command_context *c, int fd, struct counts *n)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (dir == NULL) {
		(void)close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			import_one(c, dirfd(dir), entry->d_name, false, n);
	}
	(void)closedir(dir);
}

int
command_import(struct command_context *c)
{
	struct counts n = {0};

	for (int i = 0; i < c->n_operands; i++) {
		const char *path = c->operands[i];
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			import_dir(c, fd, &n);
		else
			import_one(c, AT_FDCWD, path, true, &n);
	}
	(void)printf(
	    "%u imported, %u known, %u failed\n", n.taken, n.known, n.failed);
	return fflush(stdout) == 0 && n.failed == 0 ? COMMAND_DONE
						    : COMMAND_FAILED;
}

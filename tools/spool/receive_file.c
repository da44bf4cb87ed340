/* SPDX-License-Identifier: MIT */
/*
 * Cores that lie in files: of a directory that is watched, or of another
 * collector. What they are called proves nothing, so their process is what
 * their notes say, and who owns the file is who may see it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/text.h"
#include "spool/apport.h"
#include "spool/limits.h"
#include "spool/receive.h"

enum { HEAD_MAX = 16 * 1024 * 1024 };

/* The same file, unchanged, has the same name. */
static void
id_of_file(const struct stat *st, struct object_id *id)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "file %llu %llu %lld %lld.%09ld",
	    (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
	    (long long)st->st_size, (long long)st->st_mtim.tv_sec,
	    st->st_mtim.tv_nsec);

	object_id_of(id, text, (size_t)n);
}

static void
from_prpsinfo(struct facts *f, const uint8_t *data, size_t size)
{
	struct elf_prpsinfo info;

	if (size < sizeof(info))
		return;
	memcpy(&info, data, sizeof(info));
	/* What another collector knew is more. */
	if (f->pid == 0)
		f->pid = info.pr_pid;
	if (f->comm[0] == '\0')
		(void)snprintf(f->comm, sizeof(f->comm), "%.*s",
		    (int)sizeof(info.pr_fname), info.pr_fname);
}

static void
from_prstatus(struct facts *f, const uint8_t *data, size_t size)
{
	struct elf_prstatus status;

	/* The first is that of the thread that died. */
	if (size < sizeof(status) || f->signal != 0)
		return;
	memcpy(&status, data, sizeof(status));
	f->signal = status.pr_cursig;
	f->tid = status.pr_pid;
}

static void
from_note(void *ctx, uint32_t type, const uint8_t *data, size_t size)
{
	if (type == NT_PRPSINFO)
		from_prpsinfo(ctx, data, size);
	if (type == NT_PRSTATUS)
		from_prstatus(ctx, data, size);
}

static void
from_head(struct facts *f, int fd)
{
	struct plan_head head;
	struct buf bytes;
	uint64_t total;
	bt_error_t e;

	buf_init(&bytes, HEAD_MAX);
	if (plan_head_gather(fd, &bytes, &head, &total, &e))
		plan_each_note(&head, from_note, f);
	buf_deinit(&bytes);
}

/* What systemd-coredump knew of it. Believed if root wrote the file: anybody
 * may set attributes on his own. */
static bool
attribute(int fd, const char *name, char *out, size_t size)
{
	ssize_t n = fgetxattr(fd, name, out, size - 1);

	if (n <= 0)
		return false;
	out[n] = '\0';
	return true;
}

static int64_t
attribute_number(int fd, const char *name, int64_t otherwise)
{
	char text[32];
	int64_t value;

	return attribute(fd, name, text, sizeof(text)) && text_i64(text, &value)
	    ? value
	    : otherwise;
}

static void
from_attributes(struct facts *f, int fd)
{
	int64_t microseconds;

	(void)attribute(fd, "user.coredump.comm", f->comm, sizeof(f->comm));
	(void)attribute(fd, "user.coredump.exe", f->exe, sizeof(f->exe));
	f->pid = (pid_t)attribute_number(fd, "user.coredump.pid", f->pid);
	f->uid = (uid_t)attribute_number(fd, "user.coredump.uid", f->uid);
	f->gid = (gid_t)attribute_number(fd, "user.coredump.gid", f->gid);
	f->signal = (int)attribute_number(
	    fd, "user.coredump.signal", f->signal);
	microseconds = attribute_number(fd, "user.coredump.timestamp", 0);
	if (microseconds > 0)
		f->time = microseconds / 1000000;
}

/* A lease for reading cannot be had while the file is open for writing. Where
 * there are no leases, the file is taken as it is. */
static bool
is_being_written(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
		return errno == EAGAIN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

static bool
check_file(int fd, const char *name, struct stat *st, bt_error_t *e)
{
	uint8_t first[COPY_LEAST];

	if (fstat(fd, st) != 0)
		return bt_fail_os(e, errno, "cannot stat %s", name);
	if (S_ISREG(st->st_mode) == false)
		return bt_fail(
		    e, BT_E_FORMAT, "%s is not a regular file", name);
	/* With a second name it may be somebody else's. */
	if (st->st_nlink != 1)
		return bt_fail(
		    e, BT_E_FORMAT, "%s has more than one name", name);
	if (is_being_written(fd))
		return bt_fail(
		    e, BT_E_LIMIT, "%s is still being written", name);
	return (pread(fd, first, sizeof(first), 0) == sizeof(first) &&
		   (copy_is_core(first) || apport_is_report(first))) ||
	    bt_fail(e, BT_E_FORMAT, "%s is no core", name);
}

/* The core of a report of apport, in a file without a name; -1 with *e set. */
static int
open_report(const struct spool *s, const struct config *c, int fd,
    struct facts *f, bt_error_t *e)
{
	uint64_t room;
	int core;

	if (limits_room(s, c, f->uid, &room, e) == false)
		return -1;
	core = openat(s->incoming, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (core < 0) {
		(void)bt_fail_os(e, errno, "cannot create a file");
		return -1;
	}
	/* It is there twice for a moment. */
	if (apport_extract(fd, core, room / 2, f, e) &&
	    lseek(core, 0, SEEK_SET) == 0)
		return core;
	(void)close(core);
	return -1;
}

static enum receive_result
receive_open(const struct spool *s, const struct config *c,
    const struct service_log *l, int fd, struct facts *f,
    const struct object_id *id, bt_error_t *e)
{
	struct receive_request request = {
	    .facts = f, .id = id, .origin = "file"};
	uint8_t first[COPY_LEAST];
	struct object_id name;
	int core = fd;
	enum receive_result result;

	if (pread(fd, first, sizeof(first), 0) == sizeof(first) &&
	    apport_is_report(first))
		core = open_report(s, c, fd, f, e);
	else
		from_head(f, fd);
	if (core < 0)
		return RECEIVE_FAILED;
	request.source = (struct copy_source){
	    .fd = core, .memory_fd = core, .seekable = true};
	result = receive(s, c, l, &request, &name);
	if (core != fd)
		(void)close(core);
	return result;
}

enum receive_result
receive_file(const struct spool *s, const struct config *c,
    const struct service_log *l, int dir_fd, const char *name,
    struct object_id *id, bt_error_t *e)
{
	int fd = openat(dir_fd, name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct facts facts;
	struct stat st;
	enum receive_result result = RECEIVE_FAILED;

	if (fd < 0) {
		(void)bt_fail_os(e, errno, "cannot open %s", name);
		return RECEIVE_FAILED;
	}
	if (check_file(fd, name, &st, e)) {
		id_of_file(&st, id);
		facts_init(&facts);
		facts.uid = st.st_uid;
		facts.gid = st.st_gid;
		facts.time = st.st_mtime;
		/* It is the user's already. */
		facts.ordinary = true;
		if (st.st_uid == 0)
			from_attributes(&facts, fd);
		bt_error_clear(e);
		result = spool_knows(s, id)
		    ? RECEIVE_KNOWN
		    : receive_open(s, c, l, fd, &facts, id, e);
	}
	(void)close(fd);
	return result;
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts of a process.
 */
#include "spool/facts.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "service/file.h"
#include "spool/root.h"

enum { COPY_MAX = 4 * 1024 * 1024, DESCRIPTORS_MAX = 4096 };

void
facts_init(struct facts *f)
{
	*f = (struct facts){.dump_mode = -1, .proc = -1, .memory = -1};
}

void
facts_deinit(struct facts *f)
{
	if (f->proc >= 0)
		(void)close(f->proc);
	if (f->memory >= 0)
		(void)close(f->memory);
	f->proc = f->memory = -1;
}

const char *
facts_program(const struct facts *f)
{
	if (f->exe[0] != '\0')
		return f->exe;
	return f->comm[0] != '\0' ? f->comm : "unknown";
}

/* Reads text of /proc below the process. */
static bool
read_proc(const struct facts *f, const char *name, struct buf *out)
{
	bt_error_t e;

	return file_read_at(f->proc, name, out, &e);
}

/* Field 22 of /proc/PID/stat, counted behind the name in parentheses. */
static uint64_t
start_time(const struct facts *f)
{
	struct buf text;
	const char *p;
	uint64_t value = 0;

	buf_init(&text, 4096);
	p = read_proc(f, "stat", &text) ? strrchr(buf_text(&text), ')') : NULL;
	for (int field = 2; p != NULL && field < 22; field++) {
		p = strchr(p, ' ');
		p = p != NULL ? p + 1 : NULL;
	}
	if (p != NULL) {
		char digits[24];
		size_t len = strcspn(p, " ");

		if (len < sizeof(digits)) {
			memcpy(digits, p, len);
			digits[len] = '\0';
			if (text_u64(digits, &value) == false)
				value = 0;
		}
	}
	buf_deinit(&text);
	return value;
}

/* Was it there when the crash happened? A process that got the number later
 * was not. */
static bool
is_old_enough(const struct facts *f)
{
	struct timespec boot, now;
	long ticks = sysconf(_SC_CLK_TCK);
	int64_t started;

	if (f->started == 0 || ticks <= 0 ||
	    clock_gettime(CLOCK_BOOTTIME, &boot) != 0 ||
	    clock_gettime(CLOCK_REALTIME, &now) != 0)
		return false;
	started = (int64_t)now.tv_sec - (int64_t)boot.tv_sec +
	    (int64_t)(f->started / (uint64_t)ticks);
	/* Both are rounded to seconds. */
	return f->time == 0 || started <= f->time + 1;
}

static bool
is_alive(int pidfd)
{

	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0 ||
	    errno == EPERM;
}

/* The value of a key in /proc/PID/status: "Uid:\t1\t1\t1\t1". */
static bool
same_ids(const char *status, const char *key)
{
	unsigned real, effective, saved, files;
	const char *p = strstr(status, key);

	/* NOLINTNEXTLINE: four numbers, or nothing is believed. */
	return p != NULL &&
	    sscanf(p + strlen(key), "%u %u %u %u", &real, &effective, &saved,
		&files) == 4 &&
	    real == effective && effective == saved && saved == files;
}

/* AT_SECURE: it got privileges from its file. */
static bool
is_secure(const struct facts *f)
{
	struct buf text;
	bool secure = true;

	buf_init(&text, 65536);
	if (read_proc(f, "auxv", &text)) {
		const uint64_t *word = (const uint64_t *)(void *)text.data;

		for (size_t i = 0; i + 1 < text.size / sizeof(*word); i += 2)
			if (word[i] == AT_SECURE)
				secure = word[i + 1] != 0;
	}
	buf_deinit(&text);
	return secure;
}

/* Its user may read its memory only if it was never anything but the user's:
 * the kernel's word (dump mode 1), no privileges from a file, no ids that
 * differ. */
static bool
is_ordinary(const struct facts *f)
{
	struct buf text;
	bool good;

	if (f->dump_mode != 1)
		return false;
	buf_init(&text, 65536);
	good = read_proc(f, "status", &text) &&
	    same_ids(buf_text(&text), "\nUid:") &&
	    same_ids(buf_text(&text), "\nGid:") && is_secure(f) == false;
	buf_deinit(&text);
	return good;
}

static void
read_exe(struct facts *f)
{
	static const char deleted[] = " (deleted)";
	ssize_t n = readlinkat(f->proc, "exe", f->exe, sizeof(f->exe) - 1);
	size_t len = sizeof(deleted) - 1;

	if (n < 0)
		return;
	f->exe[n] = '\0';
	if ((size_t)n > len && strcmp(f->exe + n - len, deleted) == 0)
		f->exe[(size_t)n - len] = '\0';
}

static void
read_comm(struct facts *f)
{
	struct buf text;

	buf_init(&text, 4096);
	if (read_proc(f, "comm", &text)) {
		(void)snprintf(f->comm, sizeof(f->comm), "%s", buf_text(&text));
		f->comm[strcspn(f->comm, "\n")] = '\0';
	}
	buf_deinit(&text);
}

void
facts_open(struct facts *f, int pidfd)
{
	char path[64];

	if (f->pid <= 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%ld", (long)f->pid);
	f->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->proc < 0)
		return;
	f->started = start_time(f);
	if (pidfd >= 0 ? is_alive(pidfd) == false : is_old_enough(f) == false) {
		facts_deinit(f);
		f->started = 0;
		return;
	}
	f->memory = openat(f->proc, "mem", O_RDONLY | O_CLOEXEC);
	f->ordinary = is_ordinary(f);
	if (f->exe[0] == '\0')
		read_exe(f);
	if (root_find(f->proc, f->root, sizeof(f->root)) == false)
		(void)snprintf(f->root, sizeof(f->root), "?");
	if (f->comm[0] == '\0')
		read_comm(f);
}

/* ---- copies ---- */

static void
copy_file(const struct facts *f, const char *name, int dir_fd)
{
	struct buf text;
	bt_error_t e;
	int out;

	buf_init(&text, COPY_MAX);
	/* Too long: its beginning. */
	if (file_read_at(f->proc, name, &text, &e) || text.size != 0) {
		out = openat(dir_fd, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (out >= 0) {
			(void)file_write(out, text.data, text.size, &e);
			(void)close(out);
		}
	}
	buf_deinit(&text);
}

static void
list_descriptors(const struct facts *f, struct buf *out)
{
	int fd = openat(f->proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	for (int i = 0; i < DESCRIPTORS_MAX && (entry = readdir(dir)) != NULL;
	     i++) {
		char target[1024];
		ssize_t n = readlinkat(
		    dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		buf_printf(out, "%s ", entry->d_name);
		text_escape(out, target, (size_t)n);
		buf_putc(out, '\n');
	}
	(void)closedir(dir);
}

void
facts_copy(const struct facts *f, int dir_fd)
{
	static const char *const names[] = {"status", "stat", "maps", "cmdline",
	    "cgroup", "limits", "mountinfo", "oom_score"};
	struct buf text;
	bt_error_t e;
	int out;

	if (f->proc < 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		copy_file(f, names[i], dir_fd);
	buf_init(&text, COPY_MAX);
	list_descriptors(f, &text);
	out = openat(dir_fd, "descriptors",
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out >= 0) {
		(void)file_write(out, text.data, text.size, &e);
		(void)close(out);
	}
	buf_deinit(&text);
}

/* ---- fields ---- */

void
facts_write(const struct facts *f, struct fields *out)
{
	fields_set_i64(out, "pid", f->pid);
	fields_set_i64(out, "tid", f->tid);
	fields_set_i64(out, "uid", (int64_t)f->uid);
	fields_set_i64(out, "gid", (int64_t)f->gid);
	fields_set_i64(out, "signal", f->signal);
	fields_set_i64(out, "time", f->time);
	fields_set_i64(out, "dump.mode", f->dump_mode);
	fields_set_i64(out, "ordinary", f->ordinary);
	fields_set(out, "comm", f->comm);
	fields_set(out, "exe", f->exe);
	if (f->root[0] != '\0')
		fields_set(out, "root", f->root);
}

static void
read_text(const struct fields *in, const char *key, char *out, size_t size)
{
	const char *text = fields_get(in, key);

	(void)snprintf(out, size, "%s", text != NULL ? text : "");
}

void
facts_read(struct facts *f, const struct fields *in)
{
	facts_init(f);
	f->pid = (pid_t)fields_get_i64(in, "pid", 0);
	f->tid = (pid_t)fields_get_i64(in, "tid", 0);
	f->uid = (uid_t)fields_get_i64(in, "uid", 0);
	f->gid = (gid_t)fields_get_i64(in, "gid", 0);
	f->signal = (int)fields_get_i64(in, "signal", 0);
	f->time = fields_get_i64(in, "time", 0);
	f->dump_mode = (int)fields_get_i64(in, "dump.mode", -1);
	f->ordinary = fields_get_i64(in, "ordinary", 0) != 0;
	read_text(in, "comm", f->comm, sizeof(f->comm));
	read_text(in, "exe", f->exe, sizeof(f->exe));
	read_text(in, "root", f->root, sizeof(f->root));
}

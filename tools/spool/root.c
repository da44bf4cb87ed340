/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/root leads there only as long as the process lives. Its name from
 * here: the process's mount table says what of which file system its root is,
 * ours where that file system is mounted (proc_pid_mountinfo(5)).
 */
#include "spool/root.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/file.h"

enum { TABLE_MAX = 4 << 20, MOUNTS_MAX = 65536 };

/* A line: "ID PARENT MAJOR:MINOR ROOT POINT ...". */
struct mount {
	char device[32];
	char root[PATH_MAX];  /* in the file system */
	char point[PATH_MAX]; /* for whom the table is */
};

/* A blank, a tab, a line's end and a backslash are octal there. */
static bool
copy_name(const char **text, char *out, size_t size)
{
	const char *p = *text;
	size_t n = 0;

	while (*p != ' ' && *p != '\n' && *p != '\0') {
		if (n + 1 >= size)
			return false;
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' &&
		    p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
			out[n++] = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 +
			    p[3] - '0');
			p += 4;
		} else {
			out[n++] = *p++;
		}
	}
	out[n] = '\0';
	*text = p + (*p == ' ');
	return true;
}

static bool
parse(const char *line, struct mount *m)
{
	char skipped[32];

	return copy_name(&line, skipped, sizeof(skipped)) &&
	    copy_name(&line, skipped, sizeof(skipped)) &&
	    copy_name(&line, m->device, sizeof(m->device)) &&
	    copy_name(&line, m->root, sizeof(m->root)) &&
	    copy_name(&line, m->point, sizeof(m->point));
}

/* Calls visit for each mount until it returns true. */
static bool
each_mount(int dir, const char *name,
    bool (*visit)(void *ctx, const struct mount *m), void *ctx)
{
	struct mount *m = malloc(sizeof(*m));
	struct buf text;
	const char *line;
	bt_error_t e;
	bool found = false;

	buf_init(&text, TABLE_MAX);
	line = m != NULL && file_read_at(dir, name, &text, &e) ? buf_text(&text)
							       : NULL;
	for (int i = 0; line != NULL && found == false && i < MOUNTS_MAX; i++) {
		found = parse(line, m) && visit(ctx, m);
		line = strchr(line, '\n');
		line = line != NULL && line[1] != '\0' ? line + 1 : NULL;
	}
	buf_deinit(&text);
	free(m);
	return found;
}

struct search {
	const struct stat *wanted;
	struct mount root; /* the process's */
	bool has_root;
	char *out;
	size_t size;
};

static bool
is_same(const char *path, const struct stat *wanted)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == wanted->st_dev &&
	    st.st_ino == wanted->st_ino;
}

/* The last that is mounted over "/" is the one that is seen. */
static bool
on_theirs(void *ctx, const struct mount *m)
{
	struct search *s = ctx;

	if (strcmp(m->point, "/") == 0) {
		s->root = *m;
		s->has_root = true;
	}
	return false;
}

/* A mount of ours that shows the process's root, or something above it. */
static bool
on_ours(void *ctx, const struct mount *m)
{
	struct search *s = ctx;
	size_t n = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
	const char *rest = s->root.root + n;
	int len;

	if (strcmp(m->device, s->root.device) != 0 ||
	    strncmp(m->root, s->root.root, n) != 0 ||
	    (*rest != '/' && *rest != '\0'))
		return false;
	len = snprintf(s->out, s->size, "%s%s",
	    strcmp(m->point, "/") == 0 ? "" : m->point,
	    strcmp(rest, "/") == 0 ? "" : rest);
	return len > 0 && (size_t)len < s->size && is_same(s->out, s->wanted);
}

bool
root_find(int proc, char *out, size_t size)
{
	struct stat theirs;
	struct search *s;
	ssize_t n;
	bool found;

	out[0] = '\0';
	if (fstatat(proc, "root/", &theirs, 0) != 0)
		return false;
	if (is_same("/", &theirs))
		return true;
	/* Of a chroot among our own mounts the kernel tells the name. */
	n = readlinkat(proc, "root", out, size - 1);
	if (n > 0) {
		out[n] = '\0';
		if (is_same(out, &theirs))
			return true;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		out[0] = '\0';
		return false;
	}
	*s = (struct search){.wanted = &theirs, .out = out, .size = size};
	(void)each_mount(proc, "mountinfo", on_theirs, s);
	found = s->has_root &&
	    each_mount(AT_FDCWD, "/proc/self/mountinfo", on_ours, s);
	free(s);
	if (found == false)
		out[0] = '\0';
	return found;
}

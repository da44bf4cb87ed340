/* SPDX-License-Identifier: MIT */
/*
 * Parsers of /proc. Formats: proc(5), fs/proc/array.c and fs/proc/task_mmu.c
 * of Linux.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "target/procfs.h"

bool
procfs_read(int dir, const char *path, struct buf *out)
{
	/* /proc/PID/maps gives a page at most per call, other files more. */
	const size_t step = 16384;
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), errnum;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	for (;;) {
		size_t room = out->cap - out->size, start = out->size;
		uint8_t *to;

		if (room == 0)
			break;
		to = buf_extend(out, room < step ? room : step);
		if (to == NULL) {
			errno = ENOMEM;
			n = -1;
			break;
		}
		do
			n = read(fd, to, room < step ? room : step);
		while (n < 0 && errno == EINTR);
		out->size = start + (n > 0 ? (size_t)n : 0);
		if (n <= 0)
			break;
	}
	errnum = errno;
	(void)close(fd);
	errno = errnum;
	return n >= 0;
}

bool
procfs_line(struct view *v, struct view *line)
{
	size_t left = view_left(v);
	const uint8_t *start = v->data + v->pos, *end;

	if (v->failed || left == 0)
		return false;
	end = memchr(start, '\n', left);
	*line = view_of(start, end != NULL ? (size_t)(end - start) : left);
	view_skip(v, end != NULL ? line->size + 1 : left);
	return true;
}

static void
skip_blanks(struct view *v)
{
	while (v->pos < v->size &&
	    (v->data[v->pos] == ' ' || v->data[v->pos] == '\t'))
		v->pos++;
}

/* The next word, up to a blank. */
static struct view
word(struct view *v)
{
	size_t start;

	skip_blanks(v);
	start = v->pos;
	while (v->pos < v->size && v->data[v->pos] != ' ' &&
	    v->data[v->pos] != '\t' && v->data[v->pos] != '\n')
		v->pos++;
	return view_of(v->data + start, v->pos - start);
}

static bool
digit_of(uint8_t c, unsigned base, unsigned *out)
{
	if (c >= '0' && c <= '9')
		*out = c - '0';
	else if (c >= 'a' && c <= 'f')
		*out = c - 'a' + 10u;
	else if (c >= 'A' && c <= 'F')
		*out = c - 'A' + 10u;
	else
		return false;
	return *out < base;
}

/* Digits up to the first byte that is none; false without any or when they do
 * not fit. */
static bool
number(struct view *v, unsigned base, uint64_t *out)
{
	size_t start = v->pos;
	unsigned digit;

	*out = 0;
	while (v->pos < v->size && digit_of(v->data[v->pos], base, &digit)) {
		if (__builtin_mul_overflow(*out, (uint64_t)base, out) ||
		    __builtin_add_overflow(*out, (uint64_t)digit, out))
			return false;
		v->pos++;
	}
	return v->pos != start;
}

static bool
decimal(struct view *v, uint64_t *out)
{
	struct view w = word(v);

	return number(&w, 10, out) && view_end(&w);
}

static bool
decimal_signed(struct view *v, int64_t *out)
{
	struct view w = word(v);
	bool negative = w.size != 0 && w.data[0] == '-';
	uint64_t magnitude;

	w.pos = negative;
	if (!number(&w, 10, &magnitude) || !view_end(&w) ||
	    magnitude > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

static bool
decimal_i32(struct view *v, int32_t *out)
{
	int64_t value;

	if (!decimal_signed(v, &value) || value < INT32_MIN ||
	    value > INT32_MAX)
		return false;
	*out = (int32_t)value;
	return true;
}

static bool
hexadecimal(struct view *v, uint64_t *out)
{
	struct view w = word(v);

	if (w.size > 2 && w.data[0] == '0' && w.data[1] == 'x')
		w.pos = 2;
	return number(&w, 16, out) && view_end(&w);
}

static bool
skip_words(struct view *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (word(v).size == 0)
			return false;
	}
	return true;
}

/* The command may hold " (x) R 1": only the last parenthesis ends it. */
bool
procfs_parse_stat(struct view text, struct procfs_stat *out)
{
	const uint8_t *open, *close;
	struct view state;
	size_t len;

	memset(out, 0, sizeof(*out));
	if (text.size == 0)
		return false;
	open = memchr(text.data, '(', text.size);
	close = memrchr(text.data, ')', text.size);
	if (open == NULL || close == NULL || close < open ||
	    !decimal_i32(&text, &out->pid) ||
	    text.pos >= (size_t)(open - text.data))
		return false;
	len = (size_t)(close - open) - 1;
	if (len >= sizeof(out->comm))
		len = sizeof(out->comm) - 1;
	memcpy(out->comm, open + 1, len);
	text.pos = (size_t)(close - text.data) + 1;
	state = word(&text);
	if (state.size != 1)
		return false;
	out->state = (char)state.data[0];
	/* Numbers as in proc(5): 4 to 6, 9, 20, 22. */
	return decimal_i32(&text, &out->ppid) &&
	    decimal_i32(&text, &out->pgrp) &&
	    decimal_i32(&text, &out->session) && skip_words(&text, 2) &&
	    decimal(&text, &out->flags) && skip_words(&text, 10) &&
	    decimal(&text, &out->threads) && skip_words(&text, 1) &&
	    decimal(&text, &out->starttime);
}

bool
procfs_is_dead(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

bool
procfs_field(struct view text, const char *key, struct view *value)
{
	size_t len = strlen(key);
	struct view line;

	while (procfs_line(&text, &line)) {
		if (line.size <= len || memcmp(line.data, key, len) != 0)
			continue;
		line.pos = len;
		/* "model name	: x" */
		skip_blanks(&line);
		if (line.pos < line.size && line.data[line.pos] == ':')
			line.pos++;
		else if (line.pos == len)
			continue; /* a longer key */
		skip_blanks(&line);
		while (line.size > line.pos &&
		    (line.data[line.size - 1] == ' ' ||
			line.data[line.size - 1] == '\t'))
			line.size--;
		*value = view_of(line.data + line.pos, line.size - line.pos);
		return true;
	}
	return false;
}

bool
procfs_number(struct view value, unsigned n, uint64_t *out)
{
	return skip_words(&value, n) && decimal(&value, out);
}

bool
procfs_field_u64(struct view text, const char *key, uint64_t *out)
{
	struct view value;

	return procfs_field(text, key, &value) && procfs_number(value, 0, out);
}

bool
procfs_mask(struct view value, uint64_t *out)
{
	return number(&value, 16, out) && value.pos == value.size;
}

static bool
expect(struct view *v, char c)
{
	if (v->pos >= v->size || v->data[v->pos] != (uint8_t)c)
		return false;
	v->pos++;
	return true;
}

/* "55d0-55d1 r-xp 00001000 fe:01 1234      /usr/bin/x" */
static bool
parse_mapping(struct view line, struct procfs_mapping *out)
{
	uint64_t major, minor;
	struct view perms;

	if (!number(&line, 16, &out->start) || !expect(&line, '-') ||
	    !number(&line, 16, &out->end) || out->start >= out->end)
		return false;
	perms = word(&line);
	if (perms.size != 4)
		return false;
	out->readable = perms.data[0] == 'r';
	out->writable = perms.data[1] == 'w';
	out->executable = perms.data[2] == 'x';
	out->shared = perms.data[3] == 's';
	skip_blanks(&line);
	if (!number(&line, 16, &out->offset) || !expect(&line, ' ') ||
	    !number(&line, 16, &major) || !expect(&line, ':') ||
	    !number(&line, 16, &minor) || !decimal(&line, &out->inode) ||
	    major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	out->major = (uint32_t)major;
	out->minor = (uint32_t)minor;
	/* One blank is the separator, the others pad: names of files begin
	 * with a slash, the kernel's own with a bracket. */
	skip_blanks(&line);
	out->path = view_of(line.data + line.pos, line.size - line.pos);
	return true;
}

bool
procfs_next_mapping(struct view *v, struct procfs_mapping *out, size_t *bad)
{
	struct view line;

	while (procfs_line(v, &line)) {
		if (parse_mapping(line, out))
			return true;
		(*bad)++;
	}
	return false;
}

size_t
procfs_path(struct view path, char *out, size_t size)
{
	static const char newline[] = "\\012";
	size_t n = 0;

	if (size == 0)
		return 0;
	for (size_t i = 0; i < path.size && n + 1 < size; i++) {
		if (path.size - i >= 4 &&
		    memcmp(path.data + i, newline, 4) == 0) {
			out[n++] = '\n';
			i += 3;
		} else {
			out[n++] = (char)path.data[i];
		}
	}
	out[n] = '\0';
	return n;
}

/* "[<0>] futex_wait_queue+0x5d/0x80"; before Linux 4.15 the address instead of
 * the zero, and an end of "0xffffffffffffffff". */
bool
procfs_next_kernel_frame(struct view *v, struct view *frame)
{
	struct view line;

	while (procfs_line(v, &line)) {
		const uint8_t *mark =
		    line.size != 0 ? memchr(line.data, ']', line.size) : NULL;

		if (mark == NULL || line.data[0] != '[')
			continue;
		line.pos = (size_t)(mark - line.data) + 1;
		skip_blanks(&line);
		if (line.pos == line.size ||
		    (line.size - line.pos > 2 &&
			memcmp(line.data + line.pos, "0x", 2) == 0))
			continue;
		*frame = view_of(line.data + line.pos, line.size - line.pos);
		return true;
	}
	return false;
}

/* "202 0x.. (six arguments) SP PC", "-1 SP PC", or "running". */
bool
procfs_parse_syscall(struct view text, struct procfs_syscall *out)
{
	memset(out, 0, sizeof(*out));
	if (!decimal_signed(&text, &out->number))
		return false;
	for (unsigned i = 0; out->number >= 0 && i < 6; i++) {
		if (!hexadecimal(&text, &out->arguments[i]))
			return false;
	}
	return hexadecimal(&text, &out->sp) && hexadecimal(&text, &out->pc);
}

/* A number, or "unlimited". */
static bool
limit_value(struct view *line, uint64_t *out)
{
	static const char unlimited[] = "unlimited";
	struct view text = word(line);

	if (text.size == sizeof(unlimited) - 1 &&
	    memcmp(text.data, unlimited, text.size) == 0) {
		*out = PROCFS_UNLIMITED;
		return true;
	}
	return decimal(&text, out) && text.pos == text.size;
}

/* Columns: the label has 25 characters and blanks in it (fs/proc/base.c,
 * proc_pid_limits). */
bool
procfs_next_limit(struct view *v, struct procfs_limit *out)
{
	const size_t column = 25;
	struct view line;

	while (procfs_line(v, &line)) {
		size_t size = column;

		if (line.size <= column)
			continue;
		line.pos = column;
		if (!limit_value(&line, &out->soft) ||
		    !limit_value(&line, &out->hard))
			continue;
		while (size != 0 && line.data[size - 1] == ' ')
			size--;
		out->label = view_of(line.data, size);
		out->unit = word(&line);
		return true;
	}
	return false;
}

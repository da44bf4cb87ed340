/* SPDX-License-Identifier: MIT */
/*
 * Taking apart a report. It is read as a stream of characters: one line of the
 * core may be as long as the core.
 */
#include "spool/apport.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "service/file.h"

enum { STEP = 65536, LINE_ROOM = 4200 };

static const char head[] = "ProblemType: Cra";
static const char core_key[] = "CoreDump:";

struct reader {
	struct facts *facts;
	int out;
	uint64_t left; /* bytes that may still be written */
	char line[LINE_ROOM];
	size_t n_line;
	bool at_start, in_core, found;
	uint32_t bits; /* of base64, not yet written */
	unsigned n_bits;
	uint8_t bytes[STEP];
	size_t n_bytes;
};

bool
apport_is_report(const uint8_t *first)
{

	return memcmp(first, head, sizeof(head) - 1) == 0;
}

static bool
flush(struct reader *r, bt_error_t *e)
{
	size_t n = r->n_bytes;

	r->n_bytes = 0;
	if (n > r->left)
		return bt_fail(e, BT_E_LIMIT, "no room for the report's core");
	r->left -= n;
	return file_write(r->out, r->bytes, n, e);
}

static int
digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Each line is base64 by itself: '=' or the line's end ends its bits. */
static bool
decode(struct reader *r, char c, bt_error_t *e)
{
	int digit = digit_of(c);

	if (digit < 0) {
		r->n_bits = 0;
		return true;
	}
	r->bits = r->bits << 6 | (uint32_t)digit;
	r->n_bits += 6;
	if (r->n_bits < 8)
		return true;
	r->n_bits -= 8;
	r->bytes[r->n_bytes++] = (uint8_t)(r->bits >> r->n_bits);
	return r->n_bytes < sizeof(r->bytes) || flush(r, e);
}

/* The value of the line, if it is this key's. */
static const char *
value_of(const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0 || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " ");
}

static void
end_line(struct reader *r)
{
	const char *value;
	int64_t number;

	r->line[r->n_line] = '\0';
	if ((value = value_of(r->line, "ExecutablePath")) != NULL &&
	    value[0] == '/')
		(void)snprintf(
		    r->facts->exe, sizeof(r->facts->exe), "%.4095s", value);
	if ((value = value_of(r->line, "Signal")) != NULL &&
	    text_i64(value, &number) && number > 0 && number < 65)
		r->facts->signal = (int)number;
	r->in_core = strncmp(r->line, core_key, sizeof(core_key) - 1) == 0;
	r->found = r->found || r->in_core;
	r->n_line = 0;
}

static bool
take(struct reader *r, char c, bt_error_t *e)
{
	/* A line of the core begins with a blank, a key does not. */
	if (r->at_start && c != ' ')
		r->in_core = false;
	r->at_start = c == '\n';
	if (r->in_core)
		return decode(r, c, e);
	if (c == '\n')
		end_line(r);
	else if (r->n_line + 1 < sizeof(r->line))
		r->line[r->n_line++] = c;
	return true;
}

static bool
read_all(struct reader *r, int fd, bt_error_t *e)
{
	char step[STEP];
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, step, sizeof(step), at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bt_fail_os(e, errno, "cannot read the report");
		if (n == 0)
			return flush(r, e);
		at += n;
		for (ssize_t i = 0; i < n; i++)
			if (take(r, step[i], e) == false)
				return false;
	}
}

bool
apport_extract(
    int fd, int out_fd, uint64_t most, struct facts *f, bt_error_t *e)
{
	struct reader *r = calloc(1, sizeof(*r));
	bool good;

	if (r == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	r->facts = f;
	r->out = out_fd;
	r->left = most;
	good = read_all(r, fd, e) &&
	    (r->found ||
		bt_fail(e, BT_E_FORMAT, "there is no core in the report"));
	free(r);
	return good;
}

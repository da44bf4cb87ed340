/* SPDX-License-Identifier: MIT */
/*
 * Errors as values: one fixed-size record, filled where something failed and
 * wrapped on the way up. No allocation, so that "out of memory" can be told
 * like everything else. Texts often quote foreign names, so all of them are
 * escaped here, once.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* Longer than the text of an error, so that cutting is visible as "...". */
#define DRAFT_SIZE 512

static const char *const code_names[BT_E__COUNT] = {
    [BT_OK] = "ok",
    [BT_E_NOMEM] = "memory",
    [BT_E_OS] = "os",
    [BT_E_LIMIT] = "limit",
    [BT_E_TIMEOUT] = "timeout",
    [BT_E_NOTFOUND] = "notfound",
    [BT_E_FAULT] = "fault",
    [BT_E_FORMAT] = "format",
    [BT_E_UNSUPPORTED] = "unsupported",
    [BT_E_MISMATCH] = "mismatch",
    [BT_E_PERMISSION] = "permission",
    [BT_E_GONE] = "gone",
    [BT_E_USAGE] = "usage",
    [BT_E_INTERNAL] = "internal",
};

const char *
bt_error_code_name(uint32_t code)
{
	return code < BT_E__COUNT ? code_names[code] : "unknown";
}

void
bt_error_clear(bt_error_t *e)
{
	if (e != NULL)
		memset(e, 0, sizeof(*e));
}

static void BT_PRINTF(3, 0) fill(bt_error_t *e, enum bt_error_code code,
    const char *format, va_list ap, const char *suffix)
{
	char draft[DRAFT_SIZE];
	size_t used = strlen(format);
	int n;

	/* Many an error is expected and its text never read. */
	if (suffix == NULL && used < sizeof(e->text) &&
	    memchr(format, '%', used) == NULL) {
		bt_error_clear(e);
		e->code = code;
		memcpy(e->text, format, used);
		return;
	}
	n = vsnprintf(draft, sizeof(draft), format, ap);
	used = n < 0 ? 0 : (size_t)n;
	if (n < 0)
		draft[0] = '\0';
	if (suffix != NULL && used < sizeof(draft))
		(void)snprintf(
		    draft + used, sizeof(draft) - used, ": %s", suffix);
	bt_error_clear(e);
	e->code = code;
	(void)text_escape_into(e->text, sizeof(e->text), draft);
}

bool
bt_fail(bt_error_t *e, enum bt_error_code code, const char *format, ...)
{
	va_list ap;

	if (e == NULL)
		return false;
	va_start(ap, format);
	fill(e, code, format, ap, NULL);
	va_end(ap);
	return false;
}

static enum bt_error_code
code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return BT_E_NOTFOUND;
	case EPERM:
	case EACCES:
		return BT_E_PERMISSION;
	case ENOMEM:
		return BT_E_NOMEM;
	case ESRCH:
		return BT_E_GONE;
	default:
		return BT_E_OS;
	}
}

bool
bt_fail_os(bt_error_t *e, int errnum, const char *format, ...)
{
	char reason_room[96];
	va_list ap;

	if (e == NULL)
		return false;
	/* The GNU strerror_r: may return a constant instead of the buffer. */
	const char *reason = strerror_r(
	    errnum, reason_room, sizeof(reason_room));

	va_start(ap, format);
	fill(e, code_of_errno(errnum), format, ap, reason);
	va_end(ap);
	e->errnum = errnum;
	return false;
}

bool
bt_fail_format(bt_error_t *e, uint64_t offset, const char *format, ...)
{
	va_list ap;

	if (e == NULL)
		return false;
	va_start(ap, format);
	fill(e, BT_E_FORMAT, format, ap, NULL);
	va_end(ap);
	e->offset = offset;
	return false;
}

bool
bt_fail_fault(bt_error_t *e, bt_addr_t address, const char *format, ...)
{
	va_list ap;

	if (e == NULL)
		return false;
	va_start(ap, format);
	fill(e, BT_E_FAULT, format, ap, NULL);
	va_end(ap);
	e->address = address;
	return false;
}

bool
bt_wrap(bt_error_t *e, const char *format, ...)
{
	char draft[DRAFT_SIZE];
	va_list ap;
	int n;

	if (e == NULL)
		return false;
	va_start(ap, format);
	n = vsnprintf(draft, sizeof(draft), format, ap);
	va_end(ap);
	if (n < 0)
		return false;
	if ((size_t)n < sizeof(draft))
		(void)snprintf(
		    draft + n, sizeof(draft) - (size_t)n, ": %s", e->text);
	/* Escaped text stays as it is when escaped again. */
	(void)text_escape_into(e->text, sizeof(e->text), draft);
	return false;
}

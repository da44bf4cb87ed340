/* SPDX-License-Identifier: MIT */
/*
 * The log. The text is put together and escaped before anybody else sees it;
 * a line on standard error is one write, so that lines of several processes
 * do not mix.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "service/log.h"

enum { LINE_MAX_BYTES = 8192 };

void
log_open(struct service_log *l, const char *ident, bool to_stderr)
{
	*l = (struct service_log){
	    .ident = ident, .to_stderr = to_stderr, .least = LOG_INFO};
	if (to_stderr == false)
		openlog(ident, LOG_PID, LOG_DAEMON);
}

static void
write_line(const struct service_log *l, const char *text)
{
	char line[LINE_MAX_BYTES + 128];
	int n = snprintf(line, sizeof(line), "%s[%ld]: %s\n", l->ident,
	    (long)getpid(), text);

	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	/* A log that cannot be written has nobody to be told. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

void
log_say(const struct service_log *l, int priority, const char *format, ...)
{
	char raw[LINE_MAX_BYTES], text[LINE_MAX_BYTES];
	va_list ap;

	if (priority > l->least)
		return;
	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	text_escape_into(text, sizeof(text), raw);
	if (l->to_stderr)
		write_line(l, text);
	else
		syslog(priority, "%s", text);
}

void
log_error(const struct service_log *l, const bt_error_t *e)
{

	log_say(l, LOG_ERR, "%s", e->text);
}

/* SPDX-License-Identifier: MIT */
/*
 * Start and end of a program.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "base/write.h"
#include "common/program.h"

/*
 * A closed standard descriptor would be given to the next file opened, and a
 * line meant for the terminal would end up in it. What stands in for standard
 * output cannot be written to: the caller is told that its output is lost.
 */
void
program_start(void)
{
	static const int modes[3] = {O_RDONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", modes[fd]) != fd)
			_exit(EXIT_NOTHING);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	/* A limit on file size is an error like a full disk. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

bool
program_print(const void *text, size_t size, bt_error_t *e)
{

	return write_all(STDOUT_FILENO, text, size) ||
	    bt_fail_os(e, errno, "cannot write to standard output");
}

bool
program_answers(struct console *c, const struct core_options *o,
    const char *usage, const struct option_row *rows, int *status)
{
	struct buf out;
	bt_error_t e;

	if (o->help == false && o->version == false)
		return false;
	buf_init(&out, 65536);
	if (o->help) {
		buf_puts(&out, usage);
		options_help(rows, &out);
	} else {
		buf_printf(
		    &out, "%s (Inquest) %s\n", c->program, INQUEST_VERSION);
	}
	*status = program_print(out.data, out.size, &e) ? EXIT_DONE
							: console_fail(c, &e);
	buf_deinit(&out);
	return true;
}

int
program_usage(struct console *c, const bt_error_t *e)
{
	(void)console_fail(c, e);
	return EXIT_USAGE;
}

bool
program_is_pid(const char *word)
{
	uint64_t pid;

	return text_u64(word, &pid) && pid <= INT32_MAX &&
	    access(word, F_OK) != 0;
}

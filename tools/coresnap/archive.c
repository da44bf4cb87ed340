/* SPDX-License-Identifier: MIT */
/*
 * coresnap archive: what the kernel starts with a core on standard input.
 *
 *	|/usr/bin/coresnap archive -- %P %u %g %s %t %d %i %F %e %E
 *
 * A kernel that does not know %F leaves that argument empty. Only standard
 *input is open, the environment is empty, the working directory is the root.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "coresnap/command.h"
#include "spool/receive.h"

enum { ARGUMENTS = 10, ARGUMENTS_SHORT = 7 };

static int64_t
number(const char *text, int64_t otherwise)
{
	int64_t value;

	return text_i64(text, &value) ? value : otherwise;
}

/* %E: the path with '!' for '/'. A name may have a '!' of its own, so this is
 * the last resort. */
static void
path_of(const char *text, char *out, size_t size)
{
	(void)snprintf(out, size, "%s", text);
	if (out[0] != '!') {
		out[0] = '\0';
		return;
	}
	for (char *p = out; *p != '\0'; p++)
		if (*p == '!')
			*p = '/';
}

/* Also the shorter form without %d, %i and %F. */
static bool
read_arguments(char **a, int n, struct facts *f, int *pidfd, char *path)
{
	bool full = n >= ARGUMENTS;

	if (full == false && n != ARGUMENTS_SHORT)
		return false;
	f->pid = (pid_t)number(a[0], 0);
	f->uid = (uid_t)number(a[1], 0);
	f->gid = (gid_t)number(a[2], 0);
	f->signal = (int)number(a[3], 0);
	f->time = number(a[4], 0);
	if (full) {
		f->dump_mode = (int)number(a[5], -1);
		f->tid = (pid_t)number(a[6], 0);
		*pidfd = (int)number(a[7], -1);
	}
	(void)snprintf(f->comm, sizeof(f->comm), "%s", a[full ? 8 : 5]);
	path_of(a[full ? 9 : 6], path, sizeof(f->exe));
	return f->pid > 0;
}

int
command_archive(struct command_context *c)
{
	static char path[FACTS_EXE];
	struct receive_request request = {.origin = "pipe", .limited = true};
	struct object_id id;
	struct facts facts;
	enum receive_result result;
	int pidfd = -1;

	facts_init(&facts);
	if (read_arguments(c->operands, c->n_operands, &facts, &pidfd, path) ==
	    false) {
		log_say(&c->log, LOG_ERR,
		    "archive: wrong arguments; kernel.core_pattern is set by "
		    "'coresnap install'");
		return COMMAND_USAGE;
	}
	facts_open(&facts, pidfd);
	if (facts.exe[0] == '\0')
		(void)snprintf(facts.exe, sizeof(facts.exe), "%s", path);
	request.facts = &facts;
	request.source = (struct copy_source){.fd = STDIN_FILENO,
	    .memory_fd = facts.memory,
	    .stall = c->config.stall};
	result = receive(&c->spool, &c->config, &c->log, &request, &id);
	facts_deinit(&facts);
	return result == RECEIVE_KEPT || result == RECEIVE_KNOWN
	    ? COMMAND_DONE
	    : COMMAND_FAILED;
}

/* SPDX-License-Identifier: MIT */
/*
 * coresnap debug: a debugger on a core that is kept, or the stacks of a
 * snapshot.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "coresnap/command.h"
#include "service/file.h"
#include "spool/facts.h"

/* "bt" from where ptrace is. */
static void
beside_ptrace(const struct command_context *c, char *out, size_t size)
{
	const char *slash = strrchr(c->config.ptrace, '/');

	(void)snprintf(out, size, "%.*s/bt", (int)(slash - c->config.ptrace),
	    c->config.ptrace);
}

static int
run(const char *program, const char *const words[])
{
	bt_error_t e;

	(void)execvp(program, (char *const *)(uintptr_t)words);
	(void)bt_fail_os(&e, errno, "cannot run %s", program);
	return command_fail(&e);
}

int
command_debug(struct command_context *c)
{
	char path[PATH_MAX], bt[PATH_MAX];
	struct fields crash;
	struct facts facts;
	struct object o;
	bt_error_t e;

	if (command_find(c, c->operands[0], &o, &e) == false)
		return command_fail(&e);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", c->spool.path,
	    stage_name(o.stage), o.id.text);
	beside_ptrace(c, bt, sizeof(bt));
	if (o.has_snapshot)
		return run(bt, (const char *[]){"bt", path, NULL});
	fields_init(&crash);
	spool_load_crash(&c->spool, &o.id, &crash);
	facts_read(&facts, &crash);
	fields_deinit(&crash);
	if (c->debugger == NULL)
		return run(bt,
		    (const char *[]){"bt", "--core", path,
			facts.exe[0] != '\0' ? facts.exe : NULL, NULL});
	if (facts.exe[0] == '\0')
		return run(c->debugger,
		    (const char *[]){c->debugger, "-c", path, NULL});
	return run(
	    c->debugger, (const char *[]){c->debugger, facts.exe, path, NULL});
}

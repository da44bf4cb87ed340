/* SPDX-License-Identifier: MIT */
/*
 * Names of output files.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/output.h"

enum { OUTPUT_NAME_MAX = 64 };

static bool
is_harmless(unsigned char c)
{

	return (c < 0x80 && isalnum(c) != 0) ||
	    (c != '\0' && strchr("._+-", c) != NULL);
}

void
output_safe_name(char *out, size_t size, const char *exe)
{
	size_t n = 0,
	       max = size - 1 < OUTPUT_NAME_MAX ? size - 1 : OUTPUT_NAME_MAX;

	for (; exe != NULL && exe[n] != '\0' && n < max; n++) {
		unsigned char c = (unsigned char)exe[n];

		out[n] = is_harmless(c) ? (char)c : '_';
	}
	out[n] = '\0';
	/* No hidden file, nothing that looks like an option. */
	if (n != 0 && (out[0] == '.' || out[0] == '-'))
		out[0] = '_';
	if (n == 0)
		(void)snprintf(out, size, "unknown");
}

char *
output_path(const struct supervisor_output *o, const char *exe, int32_t pid,
    int64_t now)
{
	char name[OUTPUT_NAME_MAX + 1], *path = NULL, *cwd;

	if (o->path != NULL)
		return strdup(o->path);
	if (pid < 0)
		pid = 0;
	if (o->prefix != NULL) {
		if (asprintf(&path, "%s.%" PRId32 ".%" PRId64 ".btt", o->prefix,
			pid, now) < 0)
			return NULL;
		return path;
	}
	output_safe_name(name, sizeof(name), exe);
	/* Absolute, so that the printed path is good from anywhere. */
	cwd = getcwd(NULL, 0);
	if (asprintf(&path, "%s/%s.%" PRId32 ".%" PRId64 ".btt",
		cwd != NULL && strcmp(cwd, "/") == 0 ? ""
		    : cwd != NULL		     ? cwd
						     : ".",
		name, pid, now) < 0)
		path = NULL;
	free(cwd);
	return path;
}

/* SPDX-License-Identifier: MIT */
/*
 *	title text	writes a title over its arguments and environment
 *	title moved	moves one variable to memory of its own
 *	title cleared	has no environment any more; its strings are there
 *	title none	leaves all as it was
 */
#include <stdlib.h>
#include <string.h>

extern char **environ;

int
main(int argc, char **argv, char **envp)
{
	char *first = argv[0], *end = envp[0];

	(void)argc;
	for (char **e = envp; *e != NULL; e++)
		end = *e + strlen(*e);
	if (strcmp(argv[1], "text") == 0) {
		memset(first, 't', (size_t)(end - first));
	} else if (strcmp(argv[1], "moved") == 0) {
		envp[1] = strdup("MOVED=away");
		setenv("LATER", "1", 1);
	} else if (strcmp(argv[1], "cleared") == 0) {
		envp[0] = NULL;
		environ = NULL;
	}
	abort();
}

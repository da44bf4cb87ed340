/* SPDX-License-Identifier: MIT */
/*
 * Dies with fifty secrets: ten each in its environment, its arguments, on the
 * heap, on the stack and in thread-local storage. None of them is in this file
 * or in the program: the last thirty come from a file whose name is the first
 * argument, one to a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EACH = 10, SIZE = 40 };

struct login {
	const char *user;
	char *password;
	int attempts;
};

struct keys {
	char api_key[EACH][SIZE];
	unsigned char session_key_bytes[SIZE];
};

__thread char tls_secret[EACH][SIZE];
struct login logins[EACH];
char *copies[EACH];

static void
next(FILE *f, char *out)
{
	char line[SIZE + 2];

	if (fgets(line, sizeof(line), f) == NULL)
		exit(3);
	line[strcspn(line, "\n")] = '\0';
	memcpy(out, line, strlen(line) + 1);
}

static int
fail(struct keys *keys, struct login *first, int depth)
{
	/* A copy in something that has another name. */
	char message[200];

	snprintf(message, sizeof(message), "cannot log in with %s (%s)",
	    keys->api_key[0], first->password);
	if (depth > 0)
		return fail(keys, first, depth - 1) + message[0];
	return *(volatile int *)0 + message[0];
}

int
main(int argc, char **argv)
{
	struct keys keys;
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;

	if (f == NULL)
		return 2;
	memset(&keys, 0, sizeof(keys));
	for (int i = 0; i < EACH; i++) {
		logins[i].user = "somebody";
		logins[i].password = malloc(SIZE);
		next(f, logins[i].password);
		copies[i] = strdup(logins[i].password);
	}
	for (int i = 0; i < EACH; i++)
		next(f, keys.api_key[i]);
	memcpy(keys.session_key_bytes, keys.api_key[EACH - 1], SIZE);
	for (int i = 0; i < EACH; i++)
		next(f, tls_secret[i]);
	fclose(f);
	return fail(&keys, logins, 3);
}

/* SPDX-License-Identifier: MIT */
/*
 * Parsing and running tracers. They inherit the three standard descriptors:
 * what they print, whoever started us wants to see.
 */
#include "invoker/tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status of invoker when a tracer has none. */
enum { NO_STATUS = 255, PID_TEXT = 24, WORDS_MAX = 4096 };

/* Appends one word with its "%" dealt with; returns the place behind its
 * NUL. */
static char *
expand(char *out, const char *word, size_t len, const char *pid)
{
	const char *percent = memchr(word, '%', len);
	size_t keep = percent != NULL ? (size_t)(percent - word) : len;

	memcpy(out, word, keep);
	out += keep;
	if (percent != NULL && keep + 1 < len && percent[1] == 'p') {
		size_t n = strlen(pid);

		memcpy(out, pid, n);
		out += n;
	}
	*out++ = '\0';
	return out;
}

static size_t
count_words(const char *line)
{
	size_t n = 0;

	for (line += strspn(line, " "); *line != '\0';
	     line += strspn(line, " ")) {
		line += strcspn(line, " ");
		n++;
	}
	return n;
}

static bool
split(struct tracer *t, const char *line, size_t words, pid_t target)
{
	char pid[PID_TEXT], *out;
	size_t n = 0;

	(void)snprintf(pid, sizeof(pid), "%ld", (long)target);
	t->argv = calloc(words + 1, sizeof(*t->argv));
	/* Each word has its NUL and, at most, the pid once. */
	t->text = calloc(1, strlen(line) + words * sizeof(pid) + 1);
	if (t->argv == NULL || t->text == NULL)
		return false;
	out = t->text;
	for (line += strspn(line, " "); *line != '\0';
	     line += strspn(line, " ")) {
		size_t len = strcspn(line, " ");

		t->argv[n++] = out;
		out = expand(out, line, len, pid);
		line += len;
	}
	return true;
}

void
tracer_deinit(struct tracer *t)
{
	free(t->text);
	free(t->argv);
	*t = (struct tracer){0};
}

bool
tracer_parse(struct tracer *t, const char *line, pid_t target, bt_error_t *e)
{
	size_t words = count_words(line);

	*t = (struct tracer){0};
	if (words == 0 || words > WORDS_MAX)
		return bt_fail(e, BT_E_USAGE, "a tracer %s",
		    words == 0 ? "without a program" : "has too many words");
	if (split(t, line, words, target) == false) {
		tracer_deinit(t);
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	}
	if (access(t->argv[0], X_OK) == 0)
		return true;
	(void)bt_fail_os(e, errno, "cannot execute tracer %s", t->argv[0]);
	tracer_deinit(t);
	return false;
}

/* The child: as much like a freshly started program as can be. */
static void
become(const struct tracer *t)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGCONT, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	/* A script without "#!" runs, too. */
	(void)execvp(t->argv[0], t->argv);
	_exit(NO_STATUS);
}

int
tracer_run(const struct tracer *t, const struct service_log *l)
{
	pid_t child;
	int status;

	log_say(l, LOG_INFO, "executing tracer: %s", t->argv[0]);
	for (char **word = t->argv + 1; *word != NULL; word++)
		log_say(l, LOG_INFO, "    %s", *word);
	child = fork();
	if (child < 0) {
		log_say(l, LOG_ERR, "cannot start tracer %s: %s", t->argv[0],
		    strerror(errno));
		return NO_STATUS;
	}
	if (child == 0)
		become(t);
	while (waitpid(child, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		log_say(l, LOG_ERR, "cannot wait for tracer %s: %s", t->argv[0],
		    strerror(errno));
		return NO_STATUS;
	}
	if (WIFEXITED(status)) {
		if (WEXITSTATUS(status) != 0)
			log_say(l, LOG_ERR, "child tracer exited with code %d",
			    WEXITSTATUS(status));
		return WEXITSTATUS(status);
	}
	log_say(l, LOG_ERR, "child tracer was killed by signal %d",
	    WTERMSIG(status));
	return NO_STATUS;
}

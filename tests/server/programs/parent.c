/* SPDX-License-Identifier: MIT */
/*
 * A server that has a crash log helper, and speaks with it as Traffic Server
 * does: starts it with a socket as standard input, waits until it has stopped,
 * crashes, wakes it from the signal handler, writes the record, waits for it,
 * and dies of the signal.
 *
 *	parent FORM HELPER [ARGUMENT...]
 *
 * FORM  old       siginfo_t, ucontext_t
 *       new       signo, tid, siginfo_t, ucontext_t, length, stack
 *       short     half a record, then the end
 *       none      nothing, and the end
 *       live      does not crash: ends in peace
 *       early     wakes the helper as soon as it catches SIGCONT
 *       unused    helpers that do not stop are only waited for
 *
 * Prints what the helper's wait status is: "stopped", "exit N", "signal N".
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static const char *form;
static pid_t helper;
static int channel;
volatile int *parent_null;

static void
say(const char *what, int status)
{
	char text[64];
	int n = 0;

	if (WIFSTOPPED(status))
		n = snprintf(text, sizeof(text), "%s stopped\n", what);
	else if (WIFEXITED(status))
		n = snprintf(text, sizeof(text), "%s exit %d\n", what,
		    WEXITSTATUS(status));
	else
		n = snprintf(text, sizeof(text), "%s signal %d\n", what,
		    WTERMSIG(status));
	if (write(1, text, (size_t)n) != n)
		_exit(99);
}

static void
put(const void *data, size_t size)
{
	if (write(channel, data, size) != (ssize_t)size)
		_exit(98);
}

static void
send_record(int signo, siginfo_t *info, void *context)
{
	uint64_t frames[4] = {1, 2, 3, 4};
	uint32_t length = sizeof(frames);
	int tid = (int)syscall(SYS_gettid);

	if (strcmp(form, "none") == 0)
		return;
	if (strcmp(form, "short") == 0) {
		put(info, sizeof(*info) / 2);
		return;
	}
	if (strcmp(form, "new") == 0) {
		put(&signo, sizeof(signo));
		put(&tid, sizeof(tid));
	}
	put(info, sizeof(*info));
	put(context, sizeof(ucontext_t));
	if (strcmp(form, "new") == 0) {
		put(&length, sizeof(length));
		put(frames, sizeof(frames));
	}
}

static void
on_crash(int signo, siginfo_t *info, void *context)
{
	int status;

	(void)kill(helper, SIGCONT);
	send_record(signo, info, context);
	(void)close(channel);
	if (waitpid(helper, &status, 0) == helper)
		say("end", status);
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
}

static void
start(char **command)
{
	int pair[2], status;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		exit(97);
	helper = fork();
	if (helper < 0)
		exit(96);
	if (helper == 0) {
		(void)dup2(pair[1], 0);
		(void)close(pair[0]);
		(void)close(pair[1]);
		execv(command[0], command);
		_exit(95);
	}
	(void)close(pair[1]);
	channel = pair[0];
	if (strcmp(form, "early") == 0)
		return;
	if (waitpid(helper, &status, WUNTRACED) == helper)
		say("start", status);
	if (!WIFSTOPPED(status))
		exit(0);
}

/* Until /proc says that the helper catches SIGCONT. */
static void
await_handler(void)
{
	unsigned long long caught = 0;
	char path[64], line[256];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", helper);
	while ((caught >> (SIGCONT - 1) & 1) == 0) {
		FILE *f = fopen(path, "r");

		if (f == NULL)
			exit(94);
		while (fgets(line, sizeof(line), f) != NULL)
			(void)sscanf(line, "SigCgt: %llx", &caught);
		(void)fclose(f);
	}
}

__attribute__((noinline)) static void
serve(int request)
{
	*parent_null = request;
}

int
main(int argc, char **argv)
{
	struct sigaction action = {
	    .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};

	if (argc < 3)
		return 1;
	form = argv[1];
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	start(argv + 2);
	if (strcmp(form, "live") == 0)
		return 0;
	if (strcmp(form, "early") == 0) {
		await_handler();
		(void)usleep((useconds_t)(getpid() % 8 * 50));
		form = "old";
	}
	(void)sigaction(SIGSEGV, &action, NULL);
	serve(7);
	return 0;
}

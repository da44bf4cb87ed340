/* SPDX-License-Identifier: MIT */
/*
 * Sits in a signal handler, as crash handlers do.
 *
 *	handled WHAT [plain|stack|helper PROGRAM...]
 *
 * WHAT	null      writes through a null pointer, in a thread of its own
 *	wild      reads a wild address
 *	divide    divides by zero
 *	abort     calls abort()
 *	killed    waits until somebody sends it SIGSEGV
 *	nested    null, and its handler divides by zero
 *	alarm     has had a null pointer and recovered, then an alarm
 *	repaired  its handler makes the page writable and returns
 *	ready     has handlers for everything and no reason
 *
 * plain: the handler does not ask for a siginfo. stack: it has a stack of its
 * own. helper: it runs that program with its process id behind, and waits.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct request {
	long number;
	char *name;
};

static const char *what, *how;
static char **helper;
static char *page;
static sigjmp_buf back;
static volatile sig_atomic_t recovers, repairs, divides;
static volatile int zero;

static void
say_ready(void)
{
	static const char ready[] = "ready\n";

	if (write(1, ready, sizeof(ready) - 1) != (ssize_t)sizeof(ready) - 1)
		_exit(1);
}

static void
run_helper(void)
{
	char pid[16];
	int status;
	pid_t child;

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	child = fork();
	if (child == 0) {
		for (size_t i = 0; helper[i] != NULL; i++)
			if (helper[i + 1] == NULL) {
				helper[i] = pid;
				break;
			}
		execv(helper[0], helper);
		_exit(127);
	}
	(void)waitpid(child, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
}

__attribute__((noinline)) static void
crash_handler(int number)
{
	if (recovers)
		siglongjmp(back, 1);
	if (repairs) {
		(void)mprotect(page, 4096, PROT_READ | PROT_WRITE);
		repairs = 0;
		return;
	}
	if (divides && number == SIGSEGV) {
		divides = 0;
		zero = 1 / zero;
	}
	if (helper != NULL)
		run_helper();
	say_ready();
	for (;;)
		pause();
}

static void
with_info(int number, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	crash_handler(number);
}

static void
on_alarm(int number)
{
	(void)number;
	say_ready();
	for (;;)
		pause();
}

static void
install(void)
{
	static const int numbers[] = {
	    SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = with_info;
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	if (strcmp(how, "plain") == 0) {
		action.sa_handler = crash_handler;
		action.sa_flags = SA_NODEFER;
	}
	if (strcmp(how, "stack") == 0) {
		stack_t own = {.ss_sp = malloc(65536), .ss_size = 65536};

		sigaltstack(&own, NULL);
		action.sa_flags |= SA_ONSTACK;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm;
	sigaction(SIGALRM, &action, NULL);
}

__attribute__((noinline)) static void
serve(struct request *r, long number)
{
	r->number = number;
}

static void *
faulty(void *request)
{
	prctl(PR_SET_NAME, "faulty");
	install();
	serve(request, 7);
	return NULL;
}

__attribute__((noinline)) static long
look(const struct request *r)
{
	return r->number;
}

__attribute__((noinline)) static int
divide(int by)
{
	return 100 / by;
}

static void
recover(void)
{
	recovers = 1;
	if (sigsetjmp(back, 1) == 0)
		serve(NULL, 1);
	recovers = 0;
}

int
main(int argc, char **argv)
{
	const struct itimerval soon = {{0, 0}, {0, 1000}};
	pthread_t thread;

	what = argc > 1 ? argv[1] : "ready";
	how = argc > 2 ? argv[2] : "";
	if (strcmp(how, "helper") == 0)
		helper = argv + 3;
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	install();
	if (strcmp(what, "null") == 0 || strcmp(what, "nested") == 0) {
		divides = what[1] == 'e';
		pthread_create(&thread, NULL, faulty, NULL);
		pthread_join(thread, NULL);
	} else if (strcmp(what, "wild") == 0) {
		zero = (int)look((struct request *)(uintptr_t)0x123456789000);
	} else if (strcmp(what, "divide") == 0) {
		zero = divide(zero);
	} else if (strcmp(what, "abort") == 0) {
		abort();
	} else if (strcmp(what, "killed") == 0) {
		helper = NULL;
		puts("go");
		fflush(stdout);
	} else if (strcmp(what, "alarm") == 0) {
		recover();
		setitimer(ITIMER_REAL, &soon, NULL);
	} else if (strcmp(what, "repaired") == 0) {
		page = mmap(
		    NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		repairs = 1;
		serve((struct request *)(void *)page, 5);
		say_ready();
	} else {
		say_ready();
	}
	for (;;)
		pause();
}

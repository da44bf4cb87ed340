/* SPDX-License-Identifier: MIT */
/*
 * Sits in a signal handler, as crash handlers do.
 *
 *	handled WHAT [plain|stack|deferred|interrupted|helper PROGRAM...]
 *
 * WHAT	null      writes through a null pointer, in a thread of its own
 *	wild      reads a wild address
 *	divide    divides by zero
 *	abort     calls abort()
 *	killed    waits until somebody sends it SIGSEGV
 *	nobody    is sent SIGSEGV from outside of its namespace, as it seems
 *	nested    null, and its handler divides by zero
 *	alarm     has had a null pointer and recovered, then an alarm
 *	stale     has a SIGUSR1, where that of a SIGSEGV lay before
 *	zeros     the same, and what lay there looks like one sent by nobody
 *	profiled  repairs the page, and a SIGUSR1 came meanwhile
 *	repaired  its handler makes the page writable and returns
 *	barrier   the same again and again, as collectors do, and takes its time
 *	ready     has handlers for everything and no reason
 *
 * plain: the handler does not ask for a siginfo. stack: it has a stack of its
 * own. deferred: its signal is blocked meanwhile. open (of barrier): and then
 * let in again by the handler. interrupted: a SIGUSR1 comes, and its handler
 * waits. helper: it runs that program with its process id behind, and waits.
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
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct request {
	long number;
	char *name;
};

static const char *what, *how;
static char **helper;
static char *page;
static sigjmp_buf back;
static volatile sig_atomic_t recovers, repairs, barrier, divides, profiled;
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

/* What its handler lets in again. */
static sigset_t open_ones;

/* A millisecond of work. */
static void
spin(void)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec -
		begin.tv_nsec <
	    1000000);
}

__attribute__((noinline)) static void
crash_handler(int number)
{
	if (recovers)
		siglongjmp(back, 1);
	if (barrier) {
		if (strcmp(how, "open") == 0)
			pthread_sigmask(SIG_UNBLOCK, &open_ones, NULL);
		spin();
	}
	if (barrier || repairs) {
		(void)mprotect(page, 4096, PROT_READ | PROT_WRITE);
		repairs = 0;
		if (profiled)
			raise(SIGUSR1); /* it is blocked here */
		return;
	}
	if (divides && number == SIGSEGV) {
		divides = 0;
		zero = 1 / zero;
	}
	if (strcmp(how, "interrupted") == 0)
		raise(SIGUSR1);
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

static siginfo_t *place;

static void
on_first(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	place = info;
}

/* A signal whose handler asks for no siginfo, where another left that one. */
__attribute__((noinline)) static void
leave_and_raise(const siginfo_t *left)
{
	struct sigaction first = {.sa_flags = SA_SIGINFO};
	const struct sigaction second = {.sa_handler = on_alarm};

	first.sa_sigaction = on_first;
	sigaction(SIGUSR1, &first, NULL);
	for (int i = 0; i < 2; i++) {
		if (i == 1) {
			sigaction(SIGUSR1, &second, NULL);
			*place = *left;
		}
		raise(SIGUSR1);
	}
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
	if (profiled || barrier || strcmp(how, "deferred") == 0) {
		action.sa_flags = SA_SIGINFO;
		sigaddset(&action.sa_mask, SIGUSR1);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm;
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
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
	siginfo_t left = {.si_signo = SIGSEGV, .si_code = SI_USER};
	pthread_t thread;

	what = argc > 1 ? argv[1] : "ready";
	how = argc > 2 ? argv[2] : "";
	if (strcmp(how, "helper") == 0)
		helper = argv + 3;
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	profiled = strcmp(what, "profiled") == 0;
	barrier = strcmp(what, "barrier") == 0;
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
	} else if (strcmp(what, "nobody") == 0) {
		left.si_code = SI_QUEUE;
		syscall(SYS_rt_sigqueueinfo, getpid(), SIGSEGV, &left);
	} else if (strcmp(what, "alarm") == 0) {
		recover();
		setitimer(ITIMER_REAL, &soon, NULL);
	} else if (strcmp(what, "stale") == 0 || strcmp(what, "zeros") == 0) {
		left.si_pid = what[0] == 's';
		leave_and_raise(&left);
	} else if (barrier) {
		(void)sigfillset(&open_ones);
		page = mmap(
		    NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		say_ready();
		for (;;) {
			serve((struct request *)(void *)page, 5);
			spin();
			mprotect(page, 4096, PROT_READ);
		}
	} else if (strcmp(what, "repaired") == 0 || profiled) {
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

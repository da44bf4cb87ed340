/* SPDX-License-Identifier: MIT */
/*
 * N threads with known names and locals, each blocked in a known place. A line
 * on standard input is answered with the number of heartbeats so far. "ready"
 * is said when all of them are asleep where they stay.
 *
 *	known N [mode]	mode: "stay" (default), "leader" (the first thread
 *	ends), "handler" (a thread sits in a signal handler)
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pair {
	long first, second;
};

int global_number = 77;
_Thread_local long thread_number;
static atomic_int ready, beats;
static atomic_int *waiting; /* ids of threads that are about to wait */
static int wait_pipe[2];

static void __attribute__((noinline)) innermost(long id)
{
	volatile long doubled = id * 2;
	char byte;

	atomic_store(
	    &waiting[atomic_fetch_add(&ready, 1)], (int)syscall(SYS_gettid));
	while (read(wait_pipe[0], &byte, 1) < 0 && errno == EINTR)
		;
	(void)doubled;
}

static void __attribute__((noinline)) middle(long id)
{
	volatile struct pair known = {id + 1000, id + 2000};

	innermost(id);
	thread_number += known.first;
}

static void *
worker(void *argument)
{
	long id = (long)(intptr_t)argument;
	char name[16];

	snprintf(name, sizeof(name), "worker-%ld", id);
	prctl(PR_SET_NAME, name);
	thread_number = id;
	middle(id);
	return NULL;
}

static void
on_signal(int number)
{
	(void)number;
	middle(500);
}

static void *
signalled(void *argument)
{
	struct sigaction action;

	(void)argument;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, NULL);
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
	return NULL;
}

static void *
beat(void *argument)
{
	const struct timespec tick = {.tv_nsec = 1000000};

	(void)argument;
	prctl(PR_SET_NAME, "heart) R (x");
	for (;;) {
		atomic_fetch_add(&beats, 1);
		nanosleep(&tick, NULL);
	}
	return NULL;
}

static void *
answer(void *argument)
{
	char line[64];

	(void)argument;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		printf("%d\n", atomic_load(&beats));
		fflush(stdout);
	}
	exit(0);
}

/* Until /proc says that the thread sleeps; below another root there is none. */
static void
await_sleep(int tid)
{
	char path[64], text[256], *end;
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	for (;;) {
		if ((f = fopen(path, "r")) == NULL)
			return;
		n = fread(text, 1, sizeof(text) - 1, f);
		(void)fclose(f);
		text[n] = '\0';
		end = strrchr(text, ')');
		if (end != NULL && end[1] == ' ' && end[2] == 'S')
			return;
		usleep(1000);
	}
}

static void
await_all(int n)
{
	for (int i = 0; i < n; i++) {
		int tid;

		while ((tid = atomic_load(&waiting[i])) == 0)
			usleep(1000);
		await_sleep(tid);
	}
	while (atomic_load(&beats) == 0)
		usleep(1000);
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;
	const char *mode = argc > 2 ? argv[2] : "stay";
	pthread_attr_t small;
	pthread_t thread;

	waiting = calloc((size_t)n + 1, sizeof(*waiting));
	if (waiting == NULL || pipe(wait_pipe) != 0)
		return 1;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128 * 1024);
	for (long i = 0; i < n; i++)
		if (pthread_create(
			&thread, &small, worker, (void *)(intptr_t)i) != 0)
			return 1;
	if (strcmp(mode, "handler") == 0) {
		n++;
		pthread_create(&thread, &small, signalled, NULL);
	}
	pthread_create(&thread, &small, beat, NULL);
	await_all(n);
	puts("ready");
	fflush(stdout);
	if (strcmp(mode, "leader") == 0) {
		pthread_create(&thread, &small, answer, NULL);
		pthread_exit(NULL);
	}
	answer(NULL);
	return 0;
}

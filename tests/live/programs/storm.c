/* SPDX-License-Identifier: MIT */
/*
 * Never quiet. "threads": two threads that create and end others as fast as
 * they can. "exec": becomes itself again, from a second thread, so many times
 * (with SLOWLY in the environment, ten times a second).
 * "vfork": a thread waits in vfork for a child that sleeps.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static char **arguments;

static void *
nothing(void *argument)
{
	(void)argument;
	return NULL;
}

static void *
spawn(void *argument)
{
	pthread_attr_t detached;

	(void)argument;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&detached, 65536);
	for (;;) {
		pthread_t thread;

		if (pthread_create(&thread, &detached, nothing, NULL) != 0)
			usleep(100);
	}
	return NULL;
}

static void *
become(void *argument)
{
	int left = atoi(arguments[2]);
	char text[16];

	(void)argument;
	usleep(getenv("SLOWLY") != NULL ? 100000 : 2000);
	if (left == 0) {
		puts("done");
		fflush(stdout);
		for (;;)
			pause();
	}
	snprintf(text, sizeof(text), "%d", left - 1);
	execl("/proc/self/exe", arguments[0], "exec", text, (char *)NULL);
	return NULL;
}

static void *
wait_for_child(void *argument)
{
	(void)argument;
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sleep(1000);
		_exit(0);
	}
	return NULL;
}

static void
say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	pthread_t thread;

	arguments = argv;
	if (argc < 2)
		return 1;
	if (strcmp(argv[1], "threads") == 0) {
		pthread_create(&thread, NULL, spawn, NULL);
		pthread_create(&thread, NULL, spawn, NULL);
	} else if (strcmp(argv[1], "exec") == 0) {
		/* Said before it becomes another for the first time. */
		if (strcmp(argv[2], "300") == 0)
			say_ready();
		pthread_create(&thread, NULL, become, NULL);
	} else {
		pthread_create(&thread, NULL, wait_for_child, NULL);
	}
	if (argc < 3)
		say_ready();
	for (;;)
		pause();
}

/* SPDX-License-Identifier: MIT */
/*
 * Counts what it receives: queued real-time signals with their values, taken
 * by any of several threads, and its own interval timer's. A line with how many
 * were sent makes it wait for the last of them, and for such as come twice,
 * print "COUNT SUM ALARMS" and end.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static atomic_long count, sum, alarms;

static void
on_queued(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	atomic_fetch_add(&count, 1);
	if (info->si_code == SI_QUEUE)
		atomic_fetch_add(&sum, info->si_value.sival_int);
}

static void
on_alarm(int number)
{
	(void)number;
	atomic_fetch_add(&alarms, 1);
}

static void *
idle(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return NULL;
}

int
main(void)
{
	const struct itimerval often = {{0, 5000}, {0, 5000}};
	struct sigaction action;
	pthread_t thread;
	long sent = 0;
	char line[64];

	memset(&action, 0, sizeof(action));
	action.sa_flags = SA_SIGINFO | SA_RESTART;
	action.sa_sigaction = on_queued;
	sigaction(SIGRTMIN, &action, NULL);
	memset(&action, 0, sizeof(action));
	action.sa_flags = SA_RESTART;
	action.sa_handler = on_alarm;
	sigaction(SIGALRM, &action, NULL);
	for (int i = 0; i < 8; i++)
		pthread_create(&thread, NULL, idle, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	puts("ready");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return 1;
	sent = atol(line);
	/* Lost ones would be waited for until somebody loses patience. */
	for (int i = 0; i < 60000 && atomic_load(&count) < sent; i++)
		usleep(1000);
	for (int i = 0; i < 200; i++)
		usleep(1000);
	printf("%ld %ld %ld\n", atomic_load(&count), atomic_load(&sum),
	    atomic_load(&alarms));
	return 0;
}

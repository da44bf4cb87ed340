/* SPDX-License-Identifier: MIT */
/*
 * A child whose heaps grow: the kernel does not join what it adds to what was
 * inherited. First and last blocks, and a rest that begins in the inherited
 * part and ends in the new one.
 *
 *	forked [arena]      in a thread, so that the heap is another arena's
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 3000, SIZE = 200 };

static void *blocks[BLOCKS];

static void
grow(int from, int to)
{
	for (int i = from; i < to; i++) {
		blocks[i] = malloc(SIZE + (size_t)i % 512);
		memset(blocks[i], i, SIZE);
		if (i % 3 == 0 && i > 100) {
			free(blocks[i - 100]);
			blocks[i - 100] = NULL;
		}
	}
}

static void *
work(void *unused)
{
	pid_t child;
	int status;

	(void)unused;
	grow(0, BLOCKS / 2);
	child = fork();
	if (child != 0) {
		(void)waitpid(child, &status, 0);
		_exit(0);
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	grow(BLOCKS / 2, BLOCKS);
	printf("%d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		pause();
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread;

	(void)argv;
	if (argc == 1)
		return work(NULL) != NULL;
	(void)pthread_create(&thread, NULL, work, NULL);
	(void)pthread_join(thread, NULL);
	return 0;
}

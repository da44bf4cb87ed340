/* SPDX-License-Identifier: MIT */
/*
 @id k07
 @cls healthy
 @dir none
 @flags -O0 -g
 @also ^lock contention: thread \d+ in late waits for the stream's lock .* in a system call$
 @never orphan|ended
 @mode hang
 @note the reader of a pipe is slow: who writes has the stream's lock, and the
       others wait for it
*/
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static FILE *out;
static void *
flood(void *p)
{
	static char text[1 << 20];

	memset(text, 'x', sizeof(text));
	for (;;)
		fwrite(text, 1, sizeof(text), out);
	return p;
}
static void *
late(void *p)
{
	fputs("late\n", out);
	return p;
}
int
main(void)
{
	pthread_t threads[3];
	int ends[2];

	if (pipe(ends) != 0)
		return 1;
	out = fdopen(ends[1], "w");
	pthread_create(&threads[0], NULL, flood, NULL);
	usleep(100000);
	pthread_create(&threads[1], NULL, late, NULL);
	pthread_create(&threads[2], NULL, late, NULL);
	pthread_join(threads[0], NULL);
	return 0;
}

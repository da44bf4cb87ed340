/* SPDX-License-Identifier: MIT */
/*
 @id k06
 @cls deadlock
 @dir none
 @flags -O0 -g
 @says ^thread \d+ in report waits for the stream's lock
 @mode hang
 @note a stream's lock and a mutex, in both orders: the stream names its owner
       by the address of the thread's block, not by its number
*/
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static FILE *out;
static void *
dump(void *p)
{
	flockfile(out);
	usleep(200000);
	pthread_mutex_lock(&table);
	return p;
}
static void *
report(void *p)
{
	pthread_mutex_lock(&table);
	usleep(200000);
	fputs("x\n", out);
	return p;
}
int
main(void)
{
	pthread_t threads[2];

	out = fopen("/dev/null", "w");
	pthread_create(&threads[0], NULL, dump, NULL);
	pthread_create(&threads[1], NULL, report, NULL);
	pthread_join(threads[0], NULL);
	return 0;
}

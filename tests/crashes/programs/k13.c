/* SPDX-License-Identifier: MIT */
/*
 @id k13
 @cls self-deadlock
 @alt deadlock
 @dir none
 @flags -O0 -g
 @says ^thread \d+ in load waits for a lock, and no other thread is there
 @mode hang
 @note an initialisation that needs what it initialises
*/
#include <pthread.h>
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void
load(void)
{
	pthread_once(&once, load);
}
int
main(void)
{
	pthread_once(&once, load);
	return 0;
}

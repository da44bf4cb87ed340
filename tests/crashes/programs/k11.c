/* SPDX-License-Identifier: MIT */
/*
 @id k11
 @cls healthy
 @dir none
 @flags -O0 -g
 @mode hang
 @note a lock without an owner word that another thread has, which reads: it
       will let go
*/
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
static int lock;
static void *
reader(void *p)
{
	char c;

	__atomic_store_n(&lock, 2, __ATOMIC_SEQ_CST);
	while (read(*(int *)p, &c, 1) != 1)
		;
	return p;
}
int
main(void)
{
	pthread_t thread;
	int ends[2];

	if (pipe(ends) != 0)
		return 1;
	pthread_create(&thread, NULL, reader, &ends[0]);
	while (__atomic_load_n(&lock, __ATOMIC_SEQ_CST) != 2)
		usleep(1000);
	for (;;)
		syscall(SYS_futex, &lock, FUTEX_WAIT_PRIVATE, 2, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 @id k12
 @cls healthy
 @dir none
 @flags -O0 -g
 @also ^lock contention: .*other processes may have the lock
 @never orphan|ended
 @mode hang
 @note another process has the lock, and is at work
*/
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
int
main(void)
{
	pthread_mutex_t *lock = mmap(NULL, sizeof(*lock),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(lock, &attributes);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_mutex_lock(lock);
		for (;;)
			pause();
	}
	usleep(100000);
	return pthread_mutex_lock(lock);
}

/* SPDX-License-Identifier: MIT */
/*
 * A sound, busy process: contended mutexes, read-write locks, condition
 * variables, joins, semaphores, heap churn, deep recursion, timers that
 * interrupt it anywhere, text and fill patterns all over its memory. Nothing
 * here is wrong at any moment.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { WORKERS = 4, SLOTS = 64 };

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static unsigned queued;
static sem_t tokens;
static volatile sig_atomic_t ticks;
static volatile unsigned long sum;

static void
tick(int signal)
{
	(void)signal;
	ticks++;
}

static unsigned long
deep(unsigned n)
{
	volatile char pad[64];

	memset((void *)pad, 'A', sizeof(pad));
	return n == 0 ? (unsigned long)pad[0] : deep(n - 1) + (unsigned)pad[1];
}

static void
churn(unsigned *seed, char **slots)
{
	for (unsigned i = 0; i < 200; i++) {
		unsigned slot = (unsigned)rand_r(seed) % SLOTS;
		size_t size = (size_t)(rand_r(seed) % 3000) + 1;

		free(slots[slot]);
		slots[slot] = malloc(size);
		memset(slots[slot], i % 2 ? 0xcc : 'x', size);
	}
}

static void *
short_lived(void *arg)
{
	sum += deep((unsigned)(uintptr_t)arg % 100);
	return NULL;
}

static void
locks(void)
{
	pthread_mutex_lock(&first);
	pthread_mutex_lock(&second);
	pthread_mutex_lock(&recursive);
	pthread_mutex_lock(&recursive);
	sum++;
	pthread_mutex_unlock(&recursive);
	pthread_mutex_unlock(&recursive);
	pthread_mutex_unlock(&second);
	pthread_mutex_unlock(&first);
	pthread_rwlock_rdlock(&table);
	sum++;
	pthread_rwlock_unlock(&table);
	pthread_rwlock_wrlock(&table);
	sum++;
	pthread_rwlock_unlock(&table);
}

static void *
worker(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	char *slots[SLOTS] = {NULL};

	for (;;) {
		pthread_t child;

		churn(&seed, slots);
		for (int i = 0; i < 50; i++)
			locks();
		sum += deep(2000);
		pthread_mutex_lock(&queue_lock);
		queued++;
		pthread_cond_signal(&queue_filled);
		pthread_mutex_unlock(&queue_lock);
		sem_post(&tokens);
		if (pthread_create(&child, NULL, short_lived, arg) == 0)
			pthread_join(child, NULL);
	}
	return NULL;
}

static void *
consumer(void *arg)
{
	(void)arg;
	for (;;) {
		pthread_mutex_lock(&queue_lock);
		while (queued == 0)
			pthread_cond_wait(&queue_filled, &queue_lock);
		queued--;
		pthread_mutex_unlock(&queue_lock);
		sem_wait(&tokens);
	}
	return NULL;
}

int
main(void)
{
	struct itimerval every = {{0, 1000}, {0, 1000}};
	struct sigaction action = {0};
	pthread_mutexattr_t attributes;
	pthread_t thread;

	action.sa_handler = tick;
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &attributes);
	sem_init(&tokens, 0, 0);
	setitimer(ITIMER_REAL, &every, NULL);
	for (uintptr_t i = 1; i <= WORKERS; i++)
		pthread_create(&thread, NULL, worker, (void *)i);
	pthread_create(&thread, NULL, consumer, NULL);
	pthread_join(thread, NULL);
	return 0;
}

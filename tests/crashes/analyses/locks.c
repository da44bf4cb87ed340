/* SPDX-License-Identifier: MIT */
/*
 * Threads that wait for each other in the way that the argument names, or that
 * only look as if they did. Prints "ready" when all of them wait.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CROWD = 20 };

pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sem_t never;
static pthread_barrier_t both;
static pthread_t joined;
/* Looks like a contended mutex of glibc whose owner is gone. */
static uint32_t foreign[8] = {2, 0, 999999, 1, 0};

static void *
take_two(void *arg)
{
	pthread_mutex_t **m = arg;

	pthread_mutex_lock(m[0]);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(m[1]);
	return NULL;
}

static void *
take_one(void *arg)
{

	pthread_mutex_lock(arg);
	return NULL;
}

static void *
take_timed(void *arg)
{
	pthread_mutex_t **m = arg;
	struct timespec later = {time(NULL) + 100, 0};

	pthread_mutex_lock(m[0]);
	pthread_barrier_wait(&both);
	pthread_mutex_timedlock(m[1], &later);
	return NULL;
}

static void *
write_table(void *arg)
{
	(void)arg;
	pthread_rwlock_wrlock(&table);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&first);
	return NULL;
}

static void *
read_table(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&first);
	pthread_barrier_wait(&both);
	pthread_rwlock_rdlock(&table);
	return NULL;
}

static void *
write_and_end(void *arg)
{

	if (arg == NULL)
		pthread_rwlock_wrlock(&table);
	else
		pthread_mutex_lock(arg);
	return NULL;
}

static void *
lock_and_join(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&first);
	pthread_barrier_wait(&both);
	pthread_join(joined, NULL);
	return NULL;
}

static void *
be_joined(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&first);
	return NULL;
}

static void *
wait_changed(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&first);
	pthread_mutex_lock(&second);
	pthread_barrier_wait(&both);
	pthread_cond_wait(&changed, &second);
	return NULL;
}

static void *
spin(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&first);
	pthread_barrier_wait(&both);
	for (;;)
		__asm__ volatile("pause");
	return NULL;
}

/* A mutex that goes from hand to hand all the time. */
static void *
hand_over(void *arg)
{
	for (;;) {
		pthread_mutex_lock(arg);
		for (volatile int i = 0; i < 2000; i++)
			;
		pthread_mutex_unlock(arg);
	}
	return NULL;
}

/* What the others wait for may come of it. */
static void *
work(void *arg)
{
	(void)arg;
	for (;;)
		__asm__ volatile("pause");
	return NULL;
}

static void *
read_input(void *arg)
{
	int pipe_ends[2];
	char c;
	(void)arg;

	pthread_mutex_lock(&first);
	pthread_barrier_wait(&both);
	if (pipe(pipe_ends) == 0)
		(void)read(pipe_ends[0], &c, 1);
	return NULL;
}

/* A mutex that its owner has just let go, behind what makes it look like the
 * middle of a read-write lock. */
static uint32_t neighbours[16] = {3, 0, 2, 0, 0, 0, 999999};

static void *
wait_neighbours(void *arg)
{
	(void)arg;
	syscall(
	    SYS_futex, &neighbours[2], FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
	return NULL;
}

static void *
wait_foreign(void *arg)
{
	(void)arg;
	syscall(SYS_futex, foreign, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 2,
	    NULL, NULL, ~0u);
	return NULL;
}

static void
start(void *(*run)(void *), void *arg)
{
	pthread_t t;

	pthread_create(&t, NULL, run, arg);
	joined = t;
}

static void
pair(void *(*one)(void *), void *a, void *(*two)(void *), void *b)
{
	start(one, a);
	start(two, b);
}

static void
set_kind(pthread_mutex_t *m, int robust, int protocol)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, robust);
	pthread_mutexattr_setprotocol(&a, protocol);
	pthread_mutex_init(m, &a);
}

static pthread_mutex_t *ab[] = {&first, &second}, *ba[] = {&second, &first};
static pthread_mutex_t *bc[] = {&second, &third}, *ca[] = {&third, &first};
static pthread_mutex_t *again[] = {&first, &first};

static int
play(const char *what)
{
	pthread_t t;

	if (strcmp(what, "two") == 0) {
		pair(take_two, ab, take_two, ba);
	} else if (strcmp(what, "three") == 0) {
		pthread_barrier_init(&both, NULL, 3);
		pair(take_two, ab, take_two, bc);
		start(take_two, ca);
	} else if (strcmp(what, "crowd") == 0) {
		pair(take_two, ab, take_two, ba);
		usleep(50000);
		for (int i = 0; i < CROWD; i++)
			start(take_one, &first);
	} else if (strcmp(what, "self") == 0) {
		pthread_barrier_init(&both, NULL, 1);
		start(take_two, again);
	} else if (strcmp(what, "robust") == 0) {
		set_kind(&first, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
		set_kind(&second, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
		pair(take_two, ab, take_two, ba);
	} else if (strcmp(what, "inherit") == 0) {
		set_kind(&second, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT);
		pair(take_two, ab, take_two, ba);
	} else if (strcmp(what, "writer") == 0) {
		pair(write_table, NULL, read_table, NULL);
	} else if (strcmp(what, "orphan") == 0 ||
	    strcmp(what, "orphan-table") == 0) {
		void *lock = what[6] == '\0' ? &first : NULL;

		pthread_create(&t, NULL, write_and_end, lock);
		pthread_join(t, NULL);
		start(lock != NULL ? take_one : read_table, lock);
		if (lock == NULL)
			pthread_barrier_wait(&both);
	} else if (strcmp(what, "join") == 0) {
		start(be_joined, NULL);
		pthread_create(&t, NULL, lock_and_join, NULL);
	} else if (strcmp(what, "condition") == 0 ||
	    strcmp(what, "moving") == 0) {
		start(wait_changed, NULL);
		pthread_barrier_wait(&both);
		start(take_one, &first);
		if (what[0] == 'm')
			start(work, NULL);
	} else if (strcmp(what, "handover") == 0) {
		set_kind(&first, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT);
		for (int i = 0; i < 6; i++)
			start(hand_over, &first);
	} else if (strcmp(what, "timed") == 0) {
		pair(take_timed, ab, take_timed, ba);
	} else if (strcmp(what, "running") == 0) {
		start(spin, NULL);
		pthread_barrier_wait(&both);
		start(take_one, &first);
	} else if (strcmp(what, "input") == 0) {
		start(read_input, NULL);
		pthread_barrier_wait(&both);
		start(take_one, &first);
	} else if (strcmp(what, "neighbours") == 0) {
		start(wait_neighbours, NULL);
	} else if (strcmp(what, "foreign") == 0) {
		start(wait_foreign, NULL);
	} else {
		return 2;
	}
	return 0;
}

int
main(int argc, char **argv)
{

	pthread_barrier_init(&both, NULL, 2);
	sem_init(&never, 0, 0);
	if (argc != 2 || play(argv[1]) != 0)
		return 2;
	usleep(150000);
	puts("ready");
	fflush(stdout);
	sem_wait(&never);
	return 0;
}

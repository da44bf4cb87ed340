/* SPDX-License-Identifier: MIT */
/*
 * The stock of blocks, and the thread that fills it.
 */
#include "base/spare.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/cpu.h"
#include "base/thread.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum { STOCK = 2 };

struct spare {
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t taken;
	void *stock[STOCK];
	size_t n;
	bool stop;

	/* Of him who takes. */
	bool started; /* the thread is to be joined */
	bool refused; /* there is none to be had */
	pthread_t thread;
};

struct spare *
spare_new(void)
{
	struct spare *s = cpu_is_single() ? NULL : calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->taken, NULL);
	return s;
}

void
spare_free(struct spare *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->mutex);
	s->stop = true;
	pthread_cond_signal(&s->taken);
	pthread_mutex_unlock(&s->mutex);
	if (s->started)
		(void)pthread_join(s->thread, NULL);
	while (s->n > 0)
		spare_give(s->stock[--s->n]);
	pthread_cond_destroy(&s->taken);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}

static void *
new_block(void)
{
	void *p = mmap(NULL, SPARE_BLOCK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

void
spare_give(void *block)
{

	if (block != NULL)
		(void)munmap(block, SPARE_BLOCK);
}

bool
spare_touch(void *pages, size_t size)
{

	return madvise(pages, size, MADV_POPULATE_WRITE) == 0;
}

/* One that costs its taker nothing. */
static void *
touched_block(void)
{
	void *block = new_block();

	if (block == NULL || spare_touch(block, SPARE_BLOCK))
		return block;
	spare_give(block);
	return NULL;
}

static void *
fill_stock(void *arg)
{
	struct spare *s = arg;

	pthread_mutex_lock(&s->mutex);
	while (s->stop == false) {
		void *block;

		if (s->n == STOCK) {
			pthread_cond_wait(&s->taken, &s->mutex);
			continue;
		}
		pthread_mutex_unlock(&s->mutex);
		block = touched_block();
		pthread_mutex_lock(&s->mutex);
		if (block == NULL)
			break;
		s->stock[s->n++] = block;
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

static void
start(struct spare *s)
{
	if (s->started || s->refused)
		return;
	s->started = thread_start(&s->thread, fill_stock, s);
	s->refused = s->started == false;
}

void *
spare_take(struct spare *s)
{
	void *block = NULL;

	if (s != NULL) {
		start(s);
		pthread_mutex_lock(&s->mutex);
		if (s->n > 0) {
			block = s->stock[--s->n];
			pthread_cond_signal(&s->taken);
		}
		pthread_mutex_unlock(&s->mutex);
	}
	return block != NULL ? block : new_block();
}

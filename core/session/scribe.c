/* SPDX-License-Identifier: MIT */
/*
 * A queue and a thread. The part at the head stays in the queue while it is
 * written, so that an empty queue means that all is done.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/thread.h"
#include "session/scribe.h"

/* A snapshot has BTT_SECTION__COUNT sections. */
enum { PARTS_MAX = 16 };

struct scribe {
	scribe_write_fn *write;
	void *ctx;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t posted, stepped;
	struct btt_part *parts[PARTS_MAX];
	size_t n_parts;
	/* A part could not be written, and who waits has not come back yet from
	 * seeing to it; the part itself, until he has it. */
	bool held;
	struct btt_part *refused;
	bool stop;

	/* The session's thread only. */
	bool started;
	pthread_t thread;
};

struct scribe *
scribe_new(scribe_write_fn *write, void *ctx)
{
	struct scribe *s = cpu_is_single() ? NULL : calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->write = write;
	s->ctx = ctx;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->posted, NULL);
	pthread_cond_init(&s->stepped, NULL);
	return s;
}

/* With s->mutex held. */
static struct btt_part *
take_first(struct scribe *s)
{
	struct btt_part *p = s->parts[0];

	s->n_parts--;
	memmove(s->parts, s->parts + 1, s->n_parts * sizeof(s->parts[0]));
	return p;
}

/* The first part. With s->mutex held, which is let go while it is written. */
static void
step(struct scribe *s)
{
	struct btt_part *p = s->parts[0];
	bool ok;

	pthread_mutex_unlock(&s->mutex);
	ok = s->write(s->ctx, p);
	if (ok)
		btt_part_destroy(p);
	pthread_mutex_lock(&s->mutex);
	(void)take_first(s);
	if (!ok) {
		s->refused = p;
		s->held = true;
	}
	pthread_cond_signal(&s->stepped);
}

static void *
work(void *arg)
{
	struct scribe *s = arg;

	pthread_mutex_lock(&s->mutex);
	while (!s->stop) {
		if (s->n_parts != 0 && !s->held)
			step(s);
		else
			pthread_cond_wait(&s->posted, &s->mutex);
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

static bool
start(struct scribe *s)
{

	if (!s->started)
		s->started = thread_start(&s->thread, work, s);
	return s->started;
}

bool
scribe_post(struct scribe *s, struct btt_part *p)
{
	bool ok;

	if (s == NULL || !start(s))
		return false;
	pthread_mutex_lock(&s->mutex);
	ok = s->n_parts < PARTS_MAX;
	if (ok)
		s->parts[s->n_parts++] = p;
	pthread_cond_signal(&s->posted);
	pthread_mutex_unlock(&s->mutex);
	return ok;
}

bool
scribe_is_busy(struct scribe *s)
{
	bool busy;

	if (s == NULL)
		return false;
	pthread_mutex_lock(&s->mutex);
	busy = s->n_parts != 0 || s->held;
	pthread_mutex_unlock(&s->mutex);
	return busy;
}

struct btt_part *
scribe_wait(struct scribe *s)
{
	struct btt_part *p;

	if (s == NULL)
		return NULL;
	pthread_mutex_lock(&s->mutex);
	if (s->held && s->refused == NULL) {
		s->held = false;
		pthread_cond_signal(&s->posted);
	}
	while (s->n_parts != 0 && !s->held)
		pthread_cond_wait(&s->stepped, &s->mutex);
	p = s->refused;
	s->refused = NULL;
	pthread_mutex_unlock(&s->mutex);
	return p;
}

void
scribe_free(struct scribe *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->mutex);
	s->stop = true;
	pthread_cond_signal(&s->posted);
	pthread_mutex_unlock(&s->mutex);
	if (s->started)
		(void)pthread_join(s->thread, NULL);
	while (s->n_parts != 0)
		btt_part_destroy(take_first(s));
	btt_part_destroy(s->refused);
	pthread_cond_destroy(&s->stepped);
	pthread_cond_destroy(&s->posted);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}

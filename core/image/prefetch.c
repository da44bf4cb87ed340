/* SPDX-License-Identifier: MIT */
/*
 * Inflating ahead. Whoever opens debug information needs several compressed
 * sections, one after the other, and inflating them is most of the time of a
 * small core (libc6-dbg: 15 of 25 ms). One thread takes those that will surely
 * be asked for, while the caller inflates the largest. It reads nothing but the
 * file's bytes and writes nothing but its own jobs; who asks for a section that
 * it has not begun takes it away and inflates it himself, so without a thread
 * (none to be had, one processor) nothing is lost.
 */
#include "image/inflate.h"
#include "image/internal.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { JOBS_MAX = 8, WORTH = 64 << 10 /* compressed bytes */ };

enum job_state { JOB_WAITS, JOB_TAKEN, JOB_RUNS, JOB_DONE };

struct job {
	const struct image_section *section;
	struct packed packed;
	_Atomic enum job_state state;
	/* Valid when done. */
	bool ok;
	uint8_t *bytes;
	bt_error_t error;
};

struct prefetch {
	pthread_t thread;
	const struct image *image;
	pthread_mutex_t mutex; /* guards the change to JOB_DONE */
	pthread_cond_t done;
	size_t n_jobs;
	struct job jobs[JOBS_MAX];
};

static void *
work(void *arg)
{
	struct prefetch *p = arg;

	for (size_t i = 0; i < p->n_jobs; i++) {
		struct job *job = &p->jobs[i];
		enum job_state waits = JOB_WAITS;

		if (!atomic_compare_exchange_strong(
			&job->state, &waits, JOB_RUNS))
			continue;
		job->ok = section_inflate(
		    p->image, &job->packed, &job->bytes, &job->error);
		pthread_mutex_lock(&p->mutex);
		atomic_store(&job->state, JOB_DONE);
		pthread_cond_signal(&p->done);
		pthread_mutex_unlock(&p->mutex);
	}
	return NULL;
}

/* Signals are the business of the thread that was there before. */
static bool
start(struct prefetch *p)
{
	sigset_t all, before;
	bool ok;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	ok = pthread_create(&p->thread, NULL, work, p) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

static size_t
add_job(struct prefetch *p, struct image *image, const char *name)
{
	const struct image_section *s = image_section_find(image, name);
	struct job *job = &p->jobs[p->n_jobs];
	struct view raw;

	if (s == NULL || p->n_jobs == JOBS_MAX ||
	    (image->cache != NULL &&
		(image->cache[s - image->sections].bytes != NULL ||
		    image->cache[s - image->sections].error != NULL)) ||
	    !section_raw(image, s, &raw, NULL) || !section_is_packed(s) ||
	    !section_packed(s, raw, &job->packed, NULL))
		return 0;
	job->section = s;
	atomic_init(&job->state, JOB_WAITS);
	p->n_jobs++;
	return raw.size;
}

/* Not by sysconf(3), which reads a file of /sys: who calls us may not be
 * allowed to. More processors than fit in the set are more than one. */
static bool
is_alone(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 &&
	    CPU_COUNT(&set) < 2;
}

void
image_prefetch(struct image *image, const char *const *names, size_t n)
{
	struct prefetch *p;
	size_t bytes = 0;

	if (image->prefetch != NULL || is_alone())
		return;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return;
	p->image = image;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->done, NULL);
	for (size_t i = 0; i < n; i++)
		bytes += add_job(p, image, names[i]);
	if (bytes < WORTH || !start(p)) {
		pthread_cond_destroy(&p->done);
		pthread_mutex_destroy(&p->mutex);
		free(p);
		return;
	}
	image->prefetch = p;
}

/* Waits for a job that runs; true when its result is there. */
static bool
finished(struct prefetch *p, struct job *job)
{
	enum job_state waits = JOB_WAITS;

	if (atomic_compare_exchange_strong(&job->state, &waits, JOB_TAKEN) ||
	    waits == JOB_TAKEN)
		return false;
	pthread_mutex_lock(&p->mutex);
	while (atomic_load(&job->state) != JOB_DONE)
		pthread_cond_wait(&p->done, &p->mutex);
	pthread_mutex_unlock(&p->mutex);
	return true;
}

bool
prefetch_take(struct image *image, const struct image_section *s, bool *ok,
    struct section_cache *c, bt_error_t *e)
{
	struct prefetch *p = image->prefetch;

	for (size_t i = 0; p != NULL && i < p->n_jobs; i++) {
		struct job *job = &p->jobs[i];

		if (job->section != s)
			continue;
		if (!finished(p, job))
			return false;
		*ok = job->ok;
		c->bytes = job->bytes;
		c->size = (size_t)job->packed.size;
		if (!job->ok)
			*e = job->error;
		job->bytes = NULL;
		atomic_store(&job->state, JOB_TAKEN);
		return true;
	}
	return false;
}

void
prefetch_end(struct image *image)
{
	struct prefetch *p = image->prefetch;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n_jobs; i++) {
		enum job_state waits = JOB_WAITS;

		(void)atomic_compare_exchange_strong(
		    &p->jobs[i].state, &waits, JOB_TAKEN);
	}
	(void)pthread_join(p->thread, NULL);
	for (size_t i = 0; i < p->n_jobs; i++)
		free(p->jobs[i].bytes);
	pthread_cond_destroy(&p->done);
	pthread_mutex_destroy(&p->mutex);
	free(p);
	image->prefetch = NULL;
}

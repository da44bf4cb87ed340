/* SPDX-License-Identifier: MIT */
/*
 * Inflating ahead. Whoever opens debug information needs several compressed
 * sections, one after the other, and inflating them is most of the time of a
 * small core. One thread takes those that will surely be asked for, while the
 * caller inflates the largest. It touches nothing but the file's bytes and the
 * streams, which have their locks: who asks for bytes that are not there yet
 * inflates the next step himself, so without a thread (none to be had, one
 * processor) nothing is lost.
 */
#include "image/internal.h"
#include "image/stream.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { JOBS_MAX = 8, WORTH = 64 << 10 /* compressed bytes */ };

struct prefetch {
	pthread_t thread;
	atomic_bool stop;
	size_t n_jobs;
	struct stream *jobs[JOBS_MAX];
	const struct stream *main; /* what the caller inflates; NULL: nothing */
};

static void *
work(void *arg)
{
	struct prefetch *p = arg;
	size_t prepared = 0;

	for (size_t i = 0; i < p->n_jobs; i++) {
		do {
			if (p->main != NULL)
				stream_prepare(p->main, &prepared);
		} while (!atomic_load(&p->stop) && stream_advance(p->jobs[i]));
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

/* The compressed bytes of a section that can be inflated ahead. */
static uint64_t
add_job(struct prefetch *p, struct image *image, const char *name)
{
	const struct image_section *s = image_section_find(image, name);

	if (s == NULL || p->n_jobs == JOBS_MAX || !section_is_packed(s) ||
	    !section_stream(image, s, &p->jobs[p->n_jobs], NULL))
		return 0;
	p->n_jobs++;
	return s->size;
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
image_prefetch(
    struct image *image, const char *own, const char *const *names, size_t n)
{
	const struct image_section *s = image_section_find(image, own);
	struct stream *stream;
	struct prefetch *p;
	uint64_t bytes = 0;

	if (image->prefetch != NULL || image->type == ET_REL)
		return;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return;
	atomic_init(&p->stop, false);
	if (s != NULL && section_is_packed(s) &&
	    section_stream(image, s, &stream, NULL))
		p->main = stream;
	for (size_t i = 0; i < n; i++)
		bytes += add_job(p, image, names[i]);
	if (bytes < WORTH || is_alone() || !start(p))
		free(p);
	else
		image->prefetch = p;
}

void
prefetch_end(struct image *image)
{
	struct prefetch *p = image->prefetch;

	if (p == NULL)
		return;
	atomic_store(&p->stop, true);
	(void)pthread_join(p->thread, NULL);
	free(p);
	image->prefetch = NULL;
}

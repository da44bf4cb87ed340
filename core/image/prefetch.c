/* SPDX-License-Identifier: MIT */
/*
 * Inflating ahead. Whoever opens debug information needs several compressed
 * sections, one after the other, and inflating them is most of the time of a
 * small core. One to three threads, one less than there are processors, take
 * for all images of a session those that will surely be asked for: of the image
 * that is being read those that come after its .debug_info, of others
 * .debug_info itself, as far as it is known to be needed. Who asks for bytes
 * that are not there yet inflates the next step himself; when somebody is just
 * at that section, he takes another one of the list meanwhile, or decodes what
 * comes further on in it (guess.h), so that nobody waits while there is
 * something to inflate. Without a thread (none to be had, one processor)
 * nothing is lost.
 *
 * It touches nothing but the file's bytes and the streams, which have their
 * locks. Images are added and taken out by the session's thread alone.
 */
#include "image/prefetch.h"
#include "base/thread.h"
#include "image/internal.h"
#include "image/stream.h"
#include <pthread.h>
#include <stdlib.h>

enum {
	JOBS_MAX = 512,
	HELPERS_MAX = 3, /* what was guessed is carried out by one alone */
	NAMES_MAX = 16,	 /* sections of one image */
	/* Of `own`, while its reader finds out how much he needs. */
	SURE = 1 << 20,
	LATE = 2, /* the last round over the jobs */
	ROUNDS = LATE + 1,
	WORTH = 64 << 10 /* compressed bytes */
};

struct job {
	struct image *image;
	struct stream *stream; /* NULL: free */
	uint64_t goal;	       /* how far it is wanted */
	bool own;   /* the section that the image's reader begins with */
	bool part;  /* the goal is in proportion to what is wanted of others */
	bool late;  /* nobody waits for it yet */
	bool parts; /* inflated by its reader alone, who may be helped */
	size_t prepared; /* so far its memory was got ahead */
	bool done;	 /* up to the goal */
};

struct helper {
	struct prefetch *prefetch;
	pthread_t thread;
	bool started;		/* to be joined; set by who started it */
	const struct image *at; /* whose stream it is in */
};

struct prefetch {
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t stepped, wake;
	struct job jobs[JOBS_MAX];
	size_t n_jobs;
	struct helper helpers[HELPERS_MAX];
	size_t n_helpers; /* at most */
	unsigned news;	  /* how often something to do came or went on */
	unsigned n_idle;
	bool waits; /* one of them does, for its turn in a section */
	bool stop;

	bool tried; /* to start the first; the session's thread only */
};

struct prefetch *
prefetch_new(unsigned processors)
{
	struct prefetch *p = processors < 2 ? NULL : calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->n_helpers = processors - 1 < HELPERS_MAX ? processors - 1
						    : HELPERS_MAX;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->stepped, NULL);
	pthread_cond_init(&p->wake, NULL);
	return p;
}

/* In which round over the jobs it has its turn: those first that others will
 * wait for longest. */
static unsigned
round_of(const struct job *j)
{

	return j->own ? 0 : j->late ? LATE : 1;
}

/* There may be something new to do. With p->mutex held. */
static void
tell(struct prefetch *p)
{
	p->news++;
	if (p->n_idle > 0)
		pthread_cond_broadcast(&p->wake);
}

/* A helper's image is not taken out meanwhile; only the session's thread, for
 * which h is NULL, takes any out. */
static void
let_go(struct prefetch *p, const struct job *j, struct helper *h)
{
	if (h != NULL)
		h->at = j->image;
	pthread_mutex_unlock(&p->mutex);
}

static void
come_back(struct prefetch *p, struct helper *h)
{
	pthread_mutex_lock(&p->mutex);
	if (h != NULL) {
		h->at = NULL;
		pthread_cond_broadcast(&p->stepped);
	}
}

/*
 * One step of the first job that nobody is at, in one of so many rounds. False:
 * none was to be had. With p->mutex held, which is let go during the step.
 */
static bool
any_step(struct prefetch *p, unsigned rounds, struct helper *h, bool wait)
{
	for (size_t i = 0; i < rounds * p->n_jobs; i++) {
		struct job *j = &p->jobs[i % p->n_jobs];
		struct stream *s = j->stream;
		uint64_t goal = j->goal;
		enum stream_state state;

		if (s == NULL || j->done || j->parts ||
		    round_of(j) != i / p->n_jobs)
			continue;
		let_go(p, j, h);
		state = stream_advance(s, goal, wait);
		come_back(p, h);
		/* Meanwhile it may have become another's, or be wanted
		 * further. */
		if (state == STREAM_DONE && j->stream == s && j->goal == goal)
			j->done = true;
		if (state == STREAM_BUSY)
			continue;
		tell(p);
		return true;
	}
	return false;
}

/*
 * Somebody else is in all of them: helps with the first that can be helped
 * with. As any_step.
 */
static bool
any_guess(struct prefetch *p, struct helper *h)
{
	for (size_t i = 0; i < LATE * p->n_jobs; i++) {
		struct job *j = &p->jobs[i % p->n_jobs];
		struct stream *s = j->stream;
		uint64_t goal = j->goal;
		bool done;

		if (s == NULL || j->done || round_of(j) != i / p->n_jobs)
			continue;
		let_go(p, j, h);
		done = stream_guess(s, goal);
		come_back(p, h);
		if (done)
			return true;
	}
	return false;
}

/*
 * Gets memory for the sections that others wait for: a third of the time that
 * it takes to inflate them, of which only one can do a step at a time. With
 * p->mutex held, which is let go.
 */
static void
prepare(struct prefetch *p, struct helper *h)
{
	for (size_t i = 0; i < p->n_jobs; i++) {
		struct job *j = &p->jobs[i];
		const struct stream *s = j->stream;
		size_t done;

		if (s == NULL || j->done || !j->own ||
		    !stream_unprepared(s, j->goal, &j->prepared))
			continue;
		done = j->prepared;
		let_go(p, j, h);
		stream_prepare(s, done);
		come_back(p, h);
		return;
	}
}

/* A step of what somebody else is at, after him. One helper at a time: more
 * would only stand behind each other. */
static bool
take_turn(struct prefetch *p, struct helper *h)
{
	bool any;

	if (p->waits)
		return false;
	p->waits = true;
	any = any_step(p, ROUNDS, h, true);
	p->waits = false;
	return any;
}

static void *work(void *arg);

static void
start(struct prefetch *p, size_t i)
{
	struct helper *h = &p->helpers[i];

	h->prefetch = p;
	h->started = thread_start(&h->thread, work, h);
}

static void *
work(void *arg)
{
	struct helper *h = arg;
	struct prefetch *p = h->prefetch;
	size_t next = (size_t)(h - p->helpers) + 1;

	/* Each starts the next one: the session's thread has no time for it. */
	if (next < p->n_helpers)
		start(p, next);
	pthread_mutex_lock(&p->mutex);
	while (p->stop == false) {
		unsigned news = p->news;

		prepare(p, h);
		if (any_step(p, ROUNDS, h, false) || any_guess(p, h) ||
		    take_turn(p, h) || p->news != news || p->stop)
			continue;
		p->n_idle++;
		pthread_cond_wait(&p->wake, &p->mutex);
		p->n_idle--;
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* With p->mutex held, which is let go: there is something to do. */
static void
begin(struct prefetch *p)
{
	tell(p);
	pthread_mutex_unlock(&p->mutex);
	if (p->tried)
		return;
	p->tried = true;
	start(p, 0);
}

void
prefetch_again(struct prefetch *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mutex);
	begin(p);
}

/* With p->mutex held. */
static void
add_job(struct prefetch *p, struct job job)
{
	size_t i = 0;

	while (i < p->n_jobs && p->jobs[i].stream != NULL)
		i++;
	if (i == JOBS_MAX)
		return;
	if (i == p->n_jobs)
		p->n_jobs++;
	job.image->prefetch = p; /* until prefetch_leave */
	job.done = job.goal == 0;
	p->jobs[i] = job;
}

void
image_prefetch(struct image *image, struct prefetch *p, const char *own,
    const struct prefetch_section *sections, size_t n)
{
	struct stream *streams[NAMES_MAX], *first = NULL;
	bool part[NAMES_MAX], late[NAMES_MAX], large;
	const struct image_section *s = image_section_find(image, own);
	size_t count = 0;
	uint64_t bytes = 0;

	if (p == NULL || image->prefetch != NULL || image->type == ET_REL)
		return;
	if (s != NULL && section_is_packed(s) &&
	    !section_stream(image, s, &first, NULL))
		first = NULL;
	for (size_t i = 0; i < n && count < NAMES_MAX; i++) {
		s = image_section_find(image, sections[i].name);
		if (s == NULL || !section_is_packed(s) ||
		    !section_stream(image, s, &streams[count], NULL))
			continue;
		part[count] = sections[i].part;
		late[count] = sections[i].late;
		bytes += s->size;
		count++;
	}
	if (bytes < WORTH)
		return;
	pthread_mutex_lock(&p->mutex);
	/* Parts of a large one are inflated as they are needed, by him who
	 * reads it; meanwhile there is time for all of the others. */
	large = first != NULL && stream_is_large(first);
	if (first != NULL)
		add_job(p,
		    (struct job){.image = image,
			.stream = first,
			.goal = large ? UINT64_MAX : SURE,
			.own = true,
			.parts = large});
	for (size_t i = 0; i < count; i++)
		add_job(p,
		    (struct job){.image = image,
			.stream = streams[i],
			.goal = part[i] && !large ? 0 : UINT64_MAX,
			.part = part[i] && !large,
			.late = late[i]});
	begin(p);
}

/* False: as much is wanted already. With p->mutex held. */
static bool
want(struct job *j, uint64_t goal)
{
	if (j->goal >= goal)
		return false;
	j->goal = goal;
	j->done = false;
	return true;
}

/* With p->mutex held, which is let go. */
static void
begin_if(struct prefetch *p, bool any)
{
	if (any)
		begin(p);
	else
		pthread_mutex_unlock(&p->mutex);
}

void
image_prefetch_part(struct image *image, uint64_t part, uint64_t all)
{
	struct prefetch *p = image->prefetch;
	bool any = false;

	if (p == NULL || all == 0)
		return;
	pthread_mutex_lock(&p->mutex);
	for (size_t i = 0; i < p->n_jobs; i++) {
		struct job *j = &p->jobs[i];
		double goal;

		if (j->stream == NULL || j->image != image || !j->part)
			continue;
		goal = (double)stream_size(j->stream) * (double)part /
		    (double)all;
		if (goal > (double)stream_size(j->stream))
			goal = (double)stream_size(j->stream);
		any = want(j, (uint64_t)goal) || any;
	}
	begin_if(p, any);
}

void
image_prefetch_all(struct image *image, const char *name)
{
	const struct image_section *s = image_section_find(image, name);
	struct prefetch *p = image->prefetch;
	struct stream *stream;
	bool any = false;

	if (p == NULL || s == NULL || !section_is_packed(s) ||
	    !section_stream(image, s, &stream, NULL))
		return;
	pthread_mutex_lock(&p->mutex);
	for (size_t i = 0; i < p->n_jobs; i++) {
		if (p->jobs[i].stream == stream)
			any = want(&p->jobs[i], UINT64_MAX) || any;
	}
	begin_if(p, any);
}

bool
image_prefetch_own(struct image *image, uint64_t to)
{
	struct prefetch *p = image->prefetch;
	bool known = false, any = false;

	if (p == NULL)
		return false;
	pthread_mutex_lock(&p->mutex);
	for (size_t i = 0; i < p->n_jobs && !known; i++) {
		struct job *j = &p->jobs[i];

		if (j->stream == NULL || j->image != image || !j->own ||
		    j->parts)
			continue;
		known = true;
		any = want(j, to);
	}
	begin_if(p, any);
	return known;
}

static bool
is_late(const struct prefetch *p, const struct stream *s)
{
	for (size_t i = 0; i < p->n_jobs; i++) {
		if (p->jobs[i].stream == s)
			return p->jobs[i].late;
	}
	return false;
}

bool
prefetch_help(struct prefetch *p, const struct stream *awaited)
{
	bool any;

	if (p == NULL)
		return false;
	pthread_mutex_lock(&p->mutex);
	prepare(p, NULL);
	/* What is late would only keep him from what he waits for. */
	any = any_step(p, is_late(p, awaited) ? ROUNDS : LATE, NULL, false) ||
	    any_guess(p, NULL);
	pthread_mutex_unlock(&p->mutex);
	return any;
}

static bool
is_visited(const struct prefetch *p, const struct image *image)
{
	for (size_t i = 0; i < p->n_helpers; i++) {
		if (p->helpers[i].at == image)
			return true;
	}
	return false;
}

void
prefetch_leave(struct image *image)
{
	struct prefetch *p = image->prefetch;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mutex);
	for (size_t i = 0; i < p->n_jobs; i++) {
		if (p->jobs[i].image == image)
			p->jobs[i] = (struct job){0};
	}
	while (is_visited(p, image))
		pthread_cond_wait(&p->stepped, &p->mutex);
	pthread_mutex_unlock(&p->mutex);
	image->prefetch = NULL; /* helpers look at it, too */
}

void
prefetch_free(struct prefetch *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mutex);
	p->stop = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->mutex);
	/* Who has ended has started the next one, or could not. */
	for (size_t i = 0; i < p->n_helpers && p->helpers[i].started; i++)
		(void)pthread_join(p->helpers[i].thread, NULL);
	for (size_t i = 0; i < p->n_jobs; i++) {
		if (p->jobs[i].image != NULL)
			p->jobs[i].image->prefetch = NULL;
	}
	pthread_cond_destroy(&p->wake);
	pthread_cond_destroy(&p->stepped);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

/* SPDX-License-Identifier: MIT */
/*
 * Which threads do something. Two questions:
 *
 * Who does nothing but run? It ran, or wanted to, at two looks, and has not
 * slept between them.
 *
 * Who would notice first that it stands still? To stop a thread, or to let it
 * go, costs the kernel microseconds each: of a thousand that wait for work,
 * ten milliseconds. So those that were awake between the first look and the
 * stop are stopped last and let go first; the others do not miss that time.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "target/capture_private.h"
#include "target/procfs.h"

enum { LOOKS_MAX = 1024 }; /* threads that run and are looked at twice */

/* How often it has gone to sleep; false: not told. */
static bool
sleeps(struct taking *t, int dir, uint32_t tid, uint64_t *out)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "%u/status", tid);
	buf_clear(&t->text);
	return procfs_read(dir, path, &t->text) &&
	    procfs_field_u64(view_of(t->text.data, t->text.size),
		"voluntary_ctxt_switches", out);
}

/* How long it has run and how often it was given a processor. False where the
 * kernel does not count that (CONFIG_SCHED_INFO). */
static bool
turns(struct taking *t, int dir, uint32_t tid, uint64_t *ran, uint64_t *times)
{
	char path[32];
	struct view text;

	(void)snprintf(path, sizeof(path), "%u/schedstat", tid);
	buf_clear(&t->text);
	if (!procfs_read(dir, path, &t->text))
		return false;
	text = view_of(t->text.data, t->text.size);
	return procfs_number(text, 0, ran) && procfs_number(text, 2, times);
}

void
busy_look(struct taking *t, int dir, const struct capture_thread *thread)
{
	struct capture_task *task = &t->tasks.items[thread - t->c->threads];

	task->counted = turns(t, dir, thread->tid, &task->ran, &task->turns);
	if (thread->state != 'R')
		return;
	task->awake = true;
	if (t->looks == LOOKS_MAX ||
	    !sleeps(t, dir, thread->tid, &task->sleeps))
		return;
	task->looked_at = bt_now_ns();
	t->looks++;
}

void
busy_find_awake(struct taking *t)
{
	int dir = threads_open(t);

	if (dir < 0)
		return;
	for (size_t i = 0; i < t->c->n_threads; i++) {
		struct capture_task *task = &t->tasks.items[i];
		uint64_t ran, times;

		if (task->counted && !task->awake &&
		    turns(t, dir, t->c->threads[i].tid, &ran, &times))
			task->awake = ran != task->ran || times != task->turns;
	}
	(void)close(dir);
}

/* On a busy machine it may have had little of a processor: what counts is that
 * it wanted nothing else. To stop for us counts as going to sleep once. */
static void
look_again(struct taking *t, int dir, size_t i)
{
	struct capture_thread *thread = &t->c->threads[i];
	const struct capture_task *task = &t->tasks.items[i];
	struct procfs_stat stat;
	uint64_t again, between;

	if (task->looked_at == 0 || thread->kind != CAPTURE_STOPPED ||
	    !sleeps(t, dir, thread->tid, &again) || again - task->sleeps > 1 ||
	    !thread_stat(t, dir, thread->tid, &stat) || stat.state != 'R')
		return;
	between = bt_now_ns() - task->looked_at;
	if (between > t->c->pause_ns)
		thread->busy_ns = between - t->c->pause_ns;
}

void
busy_look_again(struct taking *t)
{
	const struct timespec nap = {.tv_nsec = 10 * 1000000};
	int dir = t->looks != 0 ? threads_open(t) : -1;

	if (dir < 0)
		return;
	(void)nanosleep(&nap, NULL);
	for (size_t i = 0; i < t->c->n_threads; i++)
		look_again(t, dir, i);
	(void)close(dir);
}

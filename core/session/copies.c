/* SPDX-License-Identifier: MIT */
#include "session/copies.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/cache.h"
#include "base/text.h"
#include "base/write.h"
#include "image/copy.h"
#include "session/sandbox.h"

enum { NS_PER_MS = 1000000, DATA_MIB = 1024, CPU_SECONDS = 120 };

struct copies {
	const struct session_options *options;
	const struct supervisor_console *console;
	uint64_t deadline;
};

/* What one process makes. */
struct job_copy {
	const struct session_options *options;
	const char *path;
	int file, out;
	uint64_t most;
};

/* ---- in that process ---- */

static void
raise_walls(const struct job_copy *job, int pipe)
{
	struct broker_client nobody = {.fd = -1};
	struct sandbox walls = {.broker = &nobody, .more_fd = -1};
	int keep[] = {pipe, job->file, job->out};

	if (job->options->sandbox.off)
		return;
	sandbox_close_others(keep, sizeof(keep) / sizeof(*keep));
	sandbox_identity(job->options->sandbox.uid, &walls.uid, &walls.gid);
	sandbox_enter(&walls);
}

/* Says what went wrong, or BT_OK. */
static int
make(void *ctx, int pipe)
{
	const struct job_copy *job = ctx;
	struct rlimit size = {job->most, job->most};
	struct image *image;
	bt_error_t e;

	bt_error_clear(&e);
	/* The copy is no longer anyway; this is for one that was taken over. */
	(void)setrlimit(RLIMIT_FSIZE, &size);
	raise_walls(job, pipe);
	if (image_open_fd(job->file, job->path, &image, &e)) {
		if (image_copy_write(image, job->out, job->most, &e))
			bt_error_clear(&e);
		image_unref(image);
	}
	return write_all(pipe, &e, sizeof(e)) ? 0 : 1;
}

/* ---- here ---- */

static void
tell(const struct copies *c, const char *path, const bt_error_t *e)
{
	char shown[160], line[512];

	if (c->console->log == NULL)
		return;
	(void)snprintf(line, sizeof(line), "cache %s: no copy of %s: %s",
	    cache_dir(c->options->cache),
	    text_escape_into(shown, sizeof(shown), path), e->text);
	c->console->log(c->console->ctx, SESSION_WARNING, line);
}

static bool
in_time(const struct worker *w, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = w->fd, .events = POLLIN};
		uint64_t now = bt_now_ns();
		int n = now < deadline
		    ? poll(&p, 1, (int)((deadline - now) / NS_PER_MS) + 1)
		    : 0;

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* What it said is only believed as far as it goes. */
static bool
take_answer(const struct worker *w, bt_error_t *e)
{
	bt_error_t said;

	if (read(w->fd, &said, sizeof(said)) != (ssize_t)sizeof(said))
		return bt_fail(
		    e, BT_E_INTERNAL, "the process that made it has died");
	said.text[sizeof(said.text) - 1] = '\0';
	*e = said;
	return said.code == BT_OK;
}

static bool
write_copy(const struct copies *c, const struct cache_wanted *wanted, int file,
    int out, bt_error_t *e)
{
	const struct worker_limits limits = {
	    (uint64_t)DATA_MIB << 20, CPU_SECONDS};
	struct job_copy job = {.options = c->options,
	    .path = wanted->path,
	    .file = file,
	    .out = out,
	    .most = cache_room(c->options->cache)};
	struct worker w;
	bool done;

	if (!worker_start(&w, &limits, make, &job, e))
		return false;
	done = in_time(&w, c->deadline) ||
	    bt_fail(e, BT_E_TIMEOUT, "there was no time left for it");
	done = done && take_answer(&w, e);
	worker_stop(&w);
	(void)worker_reap(&w);
	return done;
}

static bool
make_copy(const struct copies *c, const struct cache_wanted *wanted, int file,
    bt_error_t *e)
{
	struct cache *cache = c->options->cache;
	struct publish p;

	if (wanted->spoilt)
		cache_drop(cache, file, wanted->id);
	if (!cache_begin(cache, file, wanted->id, &p, e))
		return e->code == BT_E_NOTFOUND; /* somebody was faster */
	if (write_copy(c, wanted, file, p.fd, e))
		return cache_commit(cache, file, wanted->id, &p, e) ||
		    e->code == BT_E_USAGE; /* just now */
	publish_abort(&p);
	return false;
}

static bool
make_wanted(const struct copies *c, struct opener *opener,
    const struct cache_wanted *wanted, bt_error_t *e)
{
	int file = opener_open(opener, wanted->kind, wanted->path, e);
	bool done;

	if (file < 0)
		return false;
	done = make_copy(c, wanted, file, e);
	(void)close(file);
	return done;
}

void
copies_make(const struct session_options *options,
    const struct supervisor_console *console)
{
	uint64_t time = options->timeout_ns != 0
	    ? options->timeout_ns
	    : (uint64_t)SESSION_DEFAULT_TIMEOUT_S * 1000000000;
	struct copies c = {options, console, bt_now_ns() + time};
	struct session_options local = *options;
	struct cache_wanted wanted;
	struct opener_local files;
	bt_error_t e;

	if (options->cache == NULL || !cache_wanted(options->cache, 0, &wanted))
		return;
	local.capture = NULL; /* whose process may have ended */
	if (!session_opener_init(&files, &local, &e))
		return;
	for (size_t i = 0; cache_wanted(options->cache, i, &wanted); i++) {
		bt_error_clear(&e);
		if (!make_wanted(&c, &files.base, &wanted, &e))
			tell(&c, wanted.path, &e);
	}
	opener_local_deinit(&files);
}

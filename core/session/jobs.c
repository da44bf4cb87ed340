/* SPDX-License-Identifier: MIT */
/*
 * The worker's side: everything here runs in the replaceable process, and what
 * it says goes over the link.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/text.h"
#include "base/write.h"
#include "formats/btt.h"
#include "formats/json.h"
#include "session/jobs.h"
#include "session/link.h"
#include "session/more.h"
#include "session/sandbox.h"
#include "session/scribe.h"
#include "snapshot/scrub.h"
#include "target/capture.h"

/* Memory for reading a snapshot file: strings and tables are larger in memory
 * than packed, and the packing may be compressed. */
enum { JOB_READ_CAP_MIB = 1024, JOB_PRINT_CAP_MIB = 512 };

struct courier { /* sends what the session says */
	const struct job *job;
	int fd;
	pthread_mutex_t *link; /* one message at a time; NULL: one thread */
	struct worker_note *note;
	size_t max_size;
	struct snapshot *snapshot;
	struct btt_writer *writer; /* of the current generation */
	/* Writes sections; while it is busy, what follows is its. */
	struct scribe *scribe;
	size_t sent;
	struct buf out;
	struct session_options options;
	struct broker_client broker; /* fd -1: no sandbox */
	size_t scrubbed; /* values known when sections were last sent */
	bool confined;	 /* it is closed, for good */
};

/* One message to the supervisor, by any thread. */
static bool
tell(struct courier *c, enum link_kind kind, const void *head, size_t head_size,
    const void *body, size_t size)
{
	bool ok;

	if (c->link != NULL)
		pthread_mutex_lock(c->link);
	ok = link_send(c->fd, kind, head, head_size, body, size);
	if (c->link != NULL)
		pthread_mutex_unlock(c->link);
	return ok;
}

static void
note_stage(void *ctx, enum session_stage stage, const char *module)
{
	struct courier *c = ctx;

	worker_note_set(c->note, stage, module);
}

static void
note_walk(void *ctx, uint64_t blocks, uint64_t done, uint64_t all)
{
	struct courier *c = ctx;

	worker_note_walk(c->note, blocks, done, all);
}

static uint64_t
noted_wait(void *ctx)
{
	struct courier *c = ctx;

	return c->note != NULL ? c->note->waited_ns : 0;
}

static void
send_log(void *ctx, enum session_level level, const char *text)
{
	struct courier *c = ctx;
	uint8_t head = (uint8_t)level;

	(void)tell(c, LINK_LOG, &head, 1, text, strlen(text));
}

/* ---- the sandbox ---- */

static void
tell_missing(struct courier *c, const struct sandbox *w, struct snapshot *s)
{
	char text[224];

	for (size_t i = 0; i < w->n_missing; i++) {
		(void)snprintf(
		    text, sizeof(text), "sandbox: %s", w->missing[i]);
		send_log(c, SESSION_WARNING, text);
		if (s != NULL)
			snapshot_warn(s, "sandbox", "sandbox.missing", "%s",
			    w->missing[i]);
	}
}

/* s may be NULL: there is none yet. */
static void
enter_sandbox(void *ctx, struct snapshot *s)
{
	struct courier *c = ctx;
	const struct session_options *o = &c->options;
	struct sandbox w = {.broker = &c->broker,
	    .more_fd = c->job->more_fd,
	    .unfiltered = o->sandbox.unfiltered};

	if (c->broker.fd < 0 || c->confined)
		return;
	c->confined = true;
	sandbox_identity(o->sandbox.uid, &w.uid, &w.gid);
	sandbox_enter(&w);
	tell_missing(c, &w, s);
}

/* What only the supervisor may have: writing to a capture, and asking for
 * more. */
static void
close_foreign(const struct job *job)
{

	if (job->options->capture != NULL && job->options->capture->map_fd >= 0)
		(void)close(job->options->capture->map_fd);
	if (job->more_other_fd >= 0)
		(void)close(job->more_other_fd);
}

/* With a sandbox, files are asked for from the beginning. */
static void
prepare(struct courier *c)
{
	int keep[6];
	size_t n = 0;

	c->options = *c->job->options;
	c->options.ends = worker_is_sanitized() == false;
	broker_client_init(&c->broker,
	    c->job->broker != NULL ? c->job->broker->fd : -1,
	    c->options.cache != NULL);
	close_foreign(c->job);
	if (c->broker.fd < 0)
		return;
	c->options.opener = &c->broker.base;
	refusals_destroy(c->job->refusals);
	cache_close(c->options.cache);
	c->options.cache = NULL;
	keep[n++] = c->fd;
	keep[n++] = c->broker.fd;
	if (c->options.capture != NULL)
		keep[n++] = c->options.capture->mem_fd;
	if (c->options.capture != NULL && c->options.capture->fork.mem_fd >= 0)
		keep[n++] = c->options.capture->fork.mem_fd;
	if (c->job->more_fd >= 0)
		keep[n++] = c->job->more_fd;
	if (c->job->report != NULL)
		keep[n++] = c->job->report->fd;
	sandbox_close_others(keep, n);
}

static void
send_error(int fd, const bt_error_t *e)
{

	(void)link_send(fd, LINK_ERROR, e, sizeof(*e), NULL, 0);
}

static void
send_identity(struct courier *c, const struct snapshot *s)
{
	const char *exe = session_exe_name(s);
	int32_t pid = (int32_t)session_pid(s);

	(void)tell(c, LINK_IDENTITY, &pid, sizeof(pid), exe, strlen(exe));
}

/* ---- sections ---- */

/* Said on the console, and in the sections that are still to come. */
static void
lose(struct courier *c, const char *text)
{
	if (!c->snapshot->partial) {
		c->snapshot->partial = true;
		snapshot_attr_bool(c->snapshot, "snapshot.partial", true);
	}
	snapshot_warn(c->snapshot, "write", "limit", "%s", text);
	send_log(c, SESSION_WARNING, text);
	(void)tell(c, LINK_PARTIAL, NULL, 0, NULL, 0);
}

static void
left_out(struct courier *c, enum btt_section section)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "section '%s' left out: the snapshot would exceed --max-size",
	    btt_section_name(section));
	lose(c, text);
}

/* False when the section does not fit: the cap is on the whole file. */
static bool
deliver(void *ctx, struct btt_part *p)
{
	struct courier *c = ctx;
	uint8_t head = (uint8_t)btt_part_section(p);
	size_t left = c->max_size > c->sent ? c->max_size - c->sent : 0;

	buf_clear(&c->out);
	c->out.cap = left;
	if (btt_part_write(p, &c->out, NULL) == false || c->out.size > left)
		return false;
	/* What holds nothing takes no room. */
	if (c->out.size == 0)
		return true;
	c->sent += c->out.size;
	return tell(c, LINK_SECTION, &head, 1, c->out.data, c->out.size);
}

/* Here and now: the scribe is not writing. */
static bool
try_section(struct courier *c, enum btt_section section)
{
	struct btt_part *p = btt_part_take(c->writer, section);
	bool ok = p != NULL && deliver(c, p);

	btt_part_destroy(p);
	return ok;
}

/* Gives up variables of the frames from `first` on. */
static void
drop_variables(struct snap_thread *t, uint32_t first)
{
	for (uint32_t i = first; i < t->n_frames; i++) {
		t->frames[i].n_variables = 0;
		t->frames[i].packed = NULL;
		t->frames[i].variables_collected = false;
	}
}

/* Half of what is left: the last threads, and in the end the outer frames of
 * the first, which is the faulting one. False when nothing is left. */
static bool
drop_half(struct snapshot *s, size_t *threads, uint32_t *frames)
{
	if (*threads > 1) {
		for (size_t i = *threads / 2; i < *threads; i++)
			drop_variables(&s->threads.items[i], 0);
		*threads /= 2;
		*frames = s->threads.items[0].n_frames;
		return true;
	}
	if (*threads == 0 || *frames == 0)
		return false;
	*frames /= 2;
	drop_variables(&s->threads.items[0], *frames);
	return true;
}

/* All of them do not fit. */
static void
send_fewer_variables(struct courier *c)
{
	struct snapshot *s = c->snapshot;
	size_t threads = s->threads.count;
	uint32_t frames = threads != 0 ? s->threads.items[0].n_frames : 0;

	while (drop_half(s, &threads, &frames) &&
	    try_section(c, BTT_VARIABLES) == false)
		;
	lose(c,
	    "variables left out, of the last threads and outer frames: the "
	    "snapshot would exceed --max-size");
}

/* Waits for the scribe, and sees to what did not fit. */
static void
settle(struct courier *c)
{
	struct btt_part *p;

	while ((p = scribe_wait(c->scribe)) != NULL) {
		enum btt_section section = btt_part_section(p);

		btt_part_destroy(p);
		if (section == BTT_VARIABLES)
			send_fewer_variables(c);
		else
			left_out(c, section);
	}
}

static void
settle_now(void *ctx)
{

	settle(ctx);
}

/* Worth a thread, which costs 0.1 ms: 2,000 frames with their variables are
 * written in 0.8 ms. */
static bool
is_large(const struct snapshot *s)
{
	enum { LARGE = 2000 };
	size_t n = 0;

	for (size_t i = 0; i < s->threads.count && n < LARGE; i++)
		n += s->threads.items[i].n_frames;
	return n >= LARGE;
}

/* By the scribe, when that is worth it (slow) or he is at those before it. What
 * the part is made of must then stay as it is: see btt_part_take. */
static void
send_section_soon(struct courier *c, enum btt_section section, bool slow)
{
	struct btt_part *p;
	bool ok;

	if (c->writer == NULL)
		return;
	p = btt_part_take(c->writer, section);
	if (p != NULL && (slow || scribe_is_busy(c->scribe)) &&
	    scribe_post(c->scribe, p))
		return;
	settle(c);
	ok = p != NULL && deliver(c, p);
	btt_part_destroy(p);
	if (ok)
		return;
	if (section == BTT_VARIABLES)
		send_fewer_variables(c);
	else
		left_out(c, section);
}

static void
send_section(struct courier *c, enum btt_section section)
{

	send_section_soon(c, section, false);
}

/* Of the threads, before their variables are collected; the modules, which may
 * change frames, come later. */
static void
send_threads(struct courier *c, const struct snapshot *s)
{
	const struct session_options *o = &c->options;
	bool more = o->variables && (o->skip >> SESSION_VARIABLES & 1) == 0;

	send_section_soon(c, BTT_THREADS, more && is_large(s));
}

static void
send_variables(struct courier *c, const struct snapshot *s)
{

	send_section_soon(c, BTT_VARIABLES, is_large(s));
}

/* A new generation: the sections sent from here on stand on their own. */
static bool
begin_generation(struct courier *c, struct snapshot *s)
{
	uint8_t head = LINK_HEADER;

	settle(c);
	c->snapshot = s;
	if (c->sent != 0)
		(void)tell(c, LINK_RESTART, NULL, 0, NULL, 0);
	btt_writer_destroy(c->writer);
	c->writer = btt_writer_create(s);
	if (c->writer == NULL)
		return false;
	c->scrubbed = s->scrub != NULL ? scrub_count(s->scrub) : 0;
	buf_clear(&c->out);
	c->out.cap = c->max_size;
	if (btt_write_header(c->writer, &c->out, NULL) == false)
		return false;
	c->sent = c->out.size;
	return tell(c, LINK_SECTION, &head, 1, c->out.data, c->out.size);
}

/* The faulting thread goes out before the others are looked at. */
static void
send_first(struct courier *c, struct snapshot *s)
{
	const struct snap_attribute *n = snapshot_attr_find(
	    s, "process.thread.count");

	send_identity(c, s);
	if (n != NULL && n->value.u == 1)
		return; /* the next stage follows at once */
	if (begin_generation(c, s)) {
		send_section(c, BTT_PROCESS);
		send_section(c, BTT_THREADS);
	}
}

static void send_revised(void *ctx, struct snapshot *s);

/* Sections that were sent may hold a value that was not yet known to be secret:
 * a variable's name said so. */
static bool
has_new_secrets(const struct courier *c, const struct snapshot *s)
{

	return s->scrub != NULL && scrub_count(s->scrub) != c->scrubbed;
}

static void
send_finished(void *ctx, enum session_stage stage, struct snapshot *s)
{
	struct courier *c = ctx;

	switch (stage) {
	case SESSION_FAULT:
		send_first(c, s);
		break;
	case SESSION_THREADS:
		if (begin_generation(c, s)) {
			send_section(c, BTT_PROCESS);
			send_threads(c, s);
		}
		break;
	case SESSION_MODULES:
		send_section(c, BTT_MODULES);
		break;
	case SESSION_VARIABLES:
		settle(c);
		if (has_new_secrets(c, s)) {
			send_revised(c, s);
			break;
		}
		send_variables(c, s);
		send_section(c, BTT_OBJECTS);
		break;
	case SESSION_ANALYSIS:
		settle(c); /* it may change attributes */
		if (has_new_secrets(c, s))
			send_revised(c, s);
		send_section(c, BTT_ANALYSIS);
		break;
	case SESSION_MEMORY:
		if (s->memory.count != 0)
			send_section(c, BTT_MEMORY);
		break;
	case SESSION_RESOURCES:
		if (s->resources.count != 0)
			send_section(c, BTT_RESOURCES);
		break;
	default:
		break;
	}
}

/* The sections anew: a module has added to them. */
static void
send_revised(void *ctx, struct snapshot *s)
{
	struct courier *c = ctx;

	if (begin_generation(c, s) == false)
		return;
	send_section(c, BTT_PROCESS);
	send_section(c, BTT_THREADS);
	if (c->job->options->modules)
		send_section(c, BTT_MODULES);
	send_variables(c, s);
	send_section(c, BTT_OBJECTS);
}

static void
send_stats(struct courier *c, const struct session_stats *st)
{
	struct buf text;

	buf_init(&text, 16 * 1024 * 1024);
	for (int i = 0; i < SESSION_REPORT; i++)
		buf_printf(&text, "stage %-10s %10.3f ms\n",
		    session_stage_name((enum session_stage)i),
		    (double)st->nanoseconds[i] / 1e6);
	buf_printf(&text, "frames %llu, distinct pcs %llu\n",
	    (unsigned long long)st->frames,
	    (unsigned long long)st->distinct_pcs);
	buf_append(&text, st->searches.data, st->searches.size);
	(void)tell(c, LINK_STATS, NULL, 0, text.data, text.size);
	buf_deinit(&text);
}

/* The rest is sent before anything is freed: the supervisor goes on while that
 * is done. */
static void
send_rest(void *ctx, struct snapshot *s, const struct session_stats *stats)
{
	struct courier *c = ctx;

	settle(c); /* it may add warnings */
	send_section(c, BTT_WARNINGS);
	if (s->partial)
		(void)tell(c, LINK_PARTIAL, NULL, 0, NULL, 0);
	if (c->job->options->stats)
		send_stats(c, stats);
	(void)tell(c, LINK_DONE, NULL, 0, NULL, 0);
}

/* The next capture has the copy's memory under the number of the first. */
static bool
wait_for_more(const struct job *job)
{
	const struct capture *c = job->options->capture;
	int memory_fd;

	if (more_receive(job->more_fd, &memory_fd) == false)
		return false;
	if (memory_fd >= 0 && c != NULL && c->fork.mem_fd >= 0)
		(void)dup2(memory_fd, c->fork.mem_fd);
	if (memory_fd >= 0)
		(void)close(memory_fd);
	return true;
}

static bool
one_snapshot(struct courier *c, const struct session_sink *sink,
    const struct session_options *o)
{
	struct session_stats stats;
	struct snapshot s;
	bt_error_t e;

	c->sent = 0;
	buf_init(&c->out, c->max_size);
	if (session_collect(o, sink, &s, &stats, &e) == false) {
		send_error(c->fd, &e);
		return false;
	}
	/* The end of the process is quicker at the rest. */
	if (o->kept == NULL)
		return true;
	broker_client_deinit(&c->broker);
	btt_writer_destroy(c->writer);
	c->writer = NULL;
	buf_deinit(&c->out);
	buf_deinit(&stats.searches);
	snapshot_deinit(&s);
	return true;
}

int
job_snapshot(void *ctx, int fd)
{
	const struct job *job = ctx;
	const struct session_options *o = job->options;
	pthread_mutex_t link = PTHREAD_MUTEX_INITIALIZER;
	struct courier c = {.job = job,
	    .fd = fd,
	    .link = &link,
	    .note = job->note,
	    .max_size = o->max_size ? o->max_size : SESSION_DEFAULT_MAX_SIZE};
	struct session_sink sink = {.ctx = &c,
	    .takes_packed = true,
	    .enter = note_stage,
	    .walking = note_walk,
	    .loaded = enter_sandbox,
	    .waited = noted_wait,
	    .finished = send_finished,
	    .settle = settle_now,
	    .complete = send_rest,
	    .revised = send_revised,
	    .log = send_log};
	bool good;

	prepare(&c);
	c.scribe = scribe_new(deliver, &c);
	if (job->more_fd >= 0)
		c.options.kept = session_kept_create();
	do {
		good = one_snapshot(&c, &sink, &c.options);
	} while (good && c.options.kept != NULL && wait_for_more(job));
	session_kept_destroy(c.options.kept);
	if (job->more_fd >= 0)
		scribe_free(c.scribe);
	return good ? 0 : 2;
}

/* Maps a snapshot file. The mapping is left to the end of the process. */
static bool
map_snapshot(struct courier *c, const char *path, const void **data,
    size_t *size, bt_error_t *e)
{
	struct opener *opener = c->options.opener;
	struct opener_local local;
	struct stat st;
	int fd;

	if (opener == NULL && opener_local_init(&local, NULL, e) == false)
		return false;
	fd = opener_open(
	    opener != NULL ? opener : &local.base, OPENER_RESOURCE, path, e);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || st.st_size == 0) {
		(void)close(fd);
		return bt_fail_format(e, 0, "%s: the file is empty", path);
	}
	*size = (size_t)st.st_size;
	*data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (*data == MAP_FAILED)
		return bt_fail_os(e, errno, "%s: cannot map", path);
	return true;
}

static bool
read_snapshot(
    struct courier *c, const char *path, struct snapshot *s, bt_error_t *e)
{
	const void *data = NULL;
	size_t size = 0;

	if (map_snapshot(c, path, &data, &size, e) == false)
		return false;
	if (size > 4 && memcmp(data, "\177ELF", 4) == 0)
		return bt_fail(e, BT_E_FORMAT,
		    "%s: is an ELF file, not a snapshot; give a core with "
		    "--core",
		    path);
	if (snapshot_init(s, (size_t)JOB_READ_CAP_MIB << 20) == false)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	if (btt_read(data, size, s, e) == false)
		return bt_wrap(e, "%s", path);
	return true;
}

static bool
print(
    const struct supervisor_report *r, const struct snapshot *s, bt_error_t *e)
{
	struct buf out;

	buf_init(&out, (size_t)JOB_PRINT_CAP_MIB << 20);
	if (r->json)
		json_write(s, r->text.variables, &out);
	else
		text_report(s, &r->text, &out);
	if (out.failed)
		return bt_fail(e, BT_E_LIMIT,
		    "the report is longer than %d MiB", JOB_PRINT_CAP_MIB);
	return write_all(r->fd, out.data, out.size) ||
	    bt_fail_os(e, errno, "cannot write the report");
}

/* Prints and says how that went. */
static void
report(void *ctx, struct snapshot *s, const struct session_stats *stats)
{
	struct courier *c = ctx;
	bt_error_t e;

	note_stage(c, SESSION_REPORT, NULL);
	if (s->partial)
		(void)tell(c, LINK_PARTIAL, NULL, 0, NULL, 0);
	if (stats != NULL && c->job->options->stats)
		send_stats(c, stats);
	if (print(c->job->report, s, &e))
		(void)tell(c, LINK_DONE, NULL, 0, NULL, 0);
	else
		send_error(c->fd, &e);
}

static bool
report_file(struct courier *c, const char *path, bt_error_t *e)
{
	struct snapshot s;

	enter_sandbox(c, NULL);
	if (read_snapshot(c, path, &s, e) == false)
		return false;
	report(c, &s, NULL);
	return true;
}

int
job_report(void *ctx, int fd)
{
	const struct job *job = ctx;
	struct courier c = {.job = job, .fd = fd, .note = job->note};
	struct session_sink sink = {.ctx = &c,
	    .enter = note_stage,
	    .walking = note_walk,
	    .loaded = enter_sandbox,
	    .waited = noted_wait,
	    .complete = report,
	    .log = send_log};
	struct session_stats stats;
	struct snapshot s;
	bt_error_t e;
	bool ok;

	prepare(&c);
	if (job->report->snapshot_path != NULL)
		ok = report_file(&c, job->report->snapshot_path, &e);
	else
		ok = session_collect(&c.options, &sink, &s, &stats, &e);
	if (ok == false)
		send_error(fd, &e);
	return ok ? 0 : 2;
}

/* SPDX-License-Identifier: MIT */
/*
 * Inflating a section by steps. Its bytes get a place for all of them at once,
 * which costs address space only; a step fills the next part of it. DWARF is
 * asked for by unit, and units that matter are seldom the last: of libc6-dbg
 * two thirds of .debug_info, of a program's own often the first units only.
 *
 * A checksum can only be compared when everything is there: a section that is
 * read in part is believed as an uncompressed one is. One that ends early, or
 * whose checksum is wrong, is damaged from the last step on that was sound.
 */
#include "image/stream.h"
#include "base/hash.h"
#include "base/spare.h"
#include "image/guess.h"
#include "image/inflate.h"
#include "image/internal.h"
#include "image/sparse.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	STEP = 256 << 10, /* of output, at one time */
	PAGE = 4096,
	PREPARE = 512 << 10,
	GUESS_MIN = 1 << 20,   /* below it, nothing is won */
	GUESS_MORE = 64 << 10, /* compressed bytes, for the goal is estimated */
	PART = 512 << 10,      /* of a sparse one, at one time */
	SPARSE_MIN = 16 << 20, /* below it, forgetting is not worth a mark */
	DROP_EVERY = 4 << 20
};

struct stream {
	const struct image *image;
	uint32_t type; /* ELFCOMPRESS_... */
	size_t size;
	struct view packed;
	uint8_t *bytes;	      /* room for size */
	_Atomic size_t ready; /* bytes[0, ready) do not change any more */

	pthread_mutex_t
	    turn; /* held while waiting for mutex: who waits is next */
	pthread_mutex_t mutex; /* guards what follows, and bytes after ready */
	struct deflate *decoder;       /* NULL before the first step */
	_Atomic(struct guess *) guess; /* NULL: there is none, or not yet */
	bool over;		       /* no step is left */
	bool sparse;		       /* `parts` instead of steps */
	struct sparse *parts;
	size_t dropped;	  /* compressed bytes that were let go */
	bt_error_t error; /* why, when not all is there */
};

static uint8_t *
reserve(size_t size)
{
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

struct stream *
stream_new(
    const struct image *image, const struct packed *packed, bt_error_t *e)
{
	struct stream *s;

	if (packed->size > IMAGE_MAX_SECTION) {
		bt_fail(e, BT_E_LIMIT,
		    "section claims to inflate to %llu bytes",
		    (unsigned long long)packed->size);
		return NULL;
	}
	if (packed->type != ELFCOMPRESS_ZLIB &&
	    packed->type != ELFCOMPRESS_ZSTD) {
		bt_fail(e, BT_E_UNSUPPORTED, "section compression type %u",
		    packed->type);
		return NULL;
	}
	if (!inflate_plausible(packed->type == ELFCOMPRESS_ZLIB,
		packed->data.size, packed->size, e))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s != NULL)
		s->bytes = reserve(packed->size > 0 ? packed->size : 1);
	if (s == NULL || s->bytes == NULL) {
		free(s);
		bt_fail(e, BT_E_NOMEM, "no memory to inflate %zu bytes",
		    (size_t)packed->size);
		return NULL;
	}
	s->image = image;
	s->type = packed->type;
	s->size = (size_t)packed->size;
	s->packed = packed->data;
	atomic_init(&s->ready, 0);
	atomic_init(&s->guess, NULL);
	pthread_mutex_init(&s->turn, NULL);
	pthread_mutex_init(&s->mutex, NULL);
	return s;
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->turn);
	pthread_mutex_destroy(&s->mutex);
	(void)munmap(s->bytes, s->size > 0 ? s->size : 1);
	free(s->decoder);
	sparse_free(s->parts);
	guess_free(atomic_load(&s->guess));
	free(s);
}

size_t
stream_size(const struct stream *s)
{
	return s->size;
}

/* RFC 1950: 32 KiB window at most, no dictionary. */
static bool
zlib_header(struct stream *s)
{
	struct view v = s->packed;
	unsigned method = view_u8(&v), flags = view_u8(&v);

	if (!view_ok(&v) || (method & 0x0f) != 8 || method >> 4 > 7 ||
	    (method << 8 | flags) % 31 != 0 || (flags & 0x20) != 0)
		return bt_fail_format(&s->error, 0, "damaged zlib data");
	image_will_read(s->image, s->packed);
	return true;
}

/* When there is another thread to do it, and enough to do. */
static struct guess *
allow_guesses(struct stream *s)
{
	struct guess *g = NULL;

	if (s->image->prefetch != NULL && s->size >= GUESS_MIN)
		g = guess_new(view_from(&s->packed, 2));
	atomic_store_explicit(&s->guess, g, memory_order_release);
	return g;
}

static bool
zlib_begin(struct stream *s)
{
	if (!zlib_header(s))
		return false;
	s->decoder = malloc(sizeof(*s->decoder));
	if (s->decoder == NULL)
		return bt_fail(&s->error, BT_E_NOMEM, "no memory to inflate");
	(void)allow_guesses(s);
	return deflate_init(s->decoder, view_from(&s->packed, 2), 0) ||
	    bt_fail_format(&s->error, 0, "damaged zlib data");
}

/* zlib's checksum follows the data. */
static bool
is_checksum(struct view rest, uint32_t adler)
{
	return __builtin_bswap32(view_u32(&rest)) == adler && view_ok(&rest);
}

/* All is inflated: does it end here, and is it what was compressed? */
static bool
zlib_end(struct stream *s)
{

	return deflate_finish(s->decoder) &&
	    is_checksum(
		deflate_rest(s->decoder), adler32_of(s->bytes, s->size));
}

/* Inflates up to *pos; false: nothing more will come, see s->error. */
static bool
zlib_step(struct stream *s, size_t *pos)
{
	size_t end = s->size - *pos > STEP ? *pos + STEP : s->size;

	if (s->decoder == NULL && !zlib_begin(s))
		return false;
	if ((*pos < end &&
		guess_run(atomic_load(&s->guess), s->decoder, s->bytes, pos,
		    end, false) == DEFLATE_DAMAGED) ||
	    *pos != end || (end == s->size && !zlib_end(s)))
		return bt_fail_format(&s->error, 0, "damaged zlib data");
	return true;
}

/* One step is all: such sections are rare, and not yet large. */
static bool
zstd_step(struct stream *s, size_t *pos)
{
	image_will_read(s->image, s->packed);
	if (!inflate_zstd(s->packed, s->bytes, s->size, &s->error))
		return false;
	*pos = s->size;
	return true;
}

/* With the lock held. */
static void
step(struct stream *s)
{
	size_t pos = atomic_load_explicit(&s->ready, memory_order_relaxed);

	if (s->type == ELFCOMPRESS_ZLIB ? zlib_step(s, &pos)
					: zstd_step(s, &pos)) {
		s->over = pos == s->size;
		atomic_store_explicit(&s->ready, pos, memory_order_release);
	} else {
		s->over = true;
	}
	if (s->over) {
		free(s->decoder);
		s->decoder = NULL;
		guess_rest(atomic_load(&s->guess));
		image_was_read(s->image, s->packed);
	}
}

/* A mutex alone goes again and again to the thread that has just had it. */
static void
enter(struct stream *s)
{
	pthread_mutex_lock(&s->turn);
	pthread_mutex_lock(&s->mutex);
	pthread_mutex_unlock(&s->turn);
}

/* Without waiting: false when another thread is there, or waits to be. */
static bool
try_enter(struct stream *s)
{
	bool ok;

	if (pthread_mutex_trylock(&s->turn) != 0)
		return false;
	ok = pthread_mutex_trylock(&s->mutex) == 0;
	pthread_mutex_unlock(&s->turn);
	return ok;
}

enum stream_state
stream_advance(struct stream *s, uint64_t goal, bool wait)
{
	bool done;

	if (s->sparse)
		return STREAM_DONE;
	if (wait)
		enter(s);
	else if (!try_enter(s))
		return STREAM_BUSY;
	if (s->over == false && s->ready < goal)
		step(s);
	done = s->over || s->ready >= goal;
	if (done)
		guess_rest(atomic_load(&s->guess));
	pthread_mutex_unlock(&s->mutex);
	return done ? STREAM_DONE : STREAM_MORE;
}

bool
stream_guess(struct stream *s, uint64_t goal)
{
	struct guess *g = atomic_load_explicit(&s->guess, memory_order_acquire);
	double part = (double)s->packed.size / (double)s->size;

	if (g == NULL)
		return false;
	if (goal > s->size)
		goal = s->size;
	return guess_step(g, (uint64_t)((double)goal * part) + GUESS_MORE);
}

/*
 * The kernel clears memory before it hands it out: 4 KiB in 1 us, in which 600
 * bytes are inflated. Some is got ahead of what is being written to.
 */
bool
stream_unprepared(const struct stream *s, uint64_t goal, size_t *done)
{
	size_t ready = atomic_load_explicit(&s->ready, memory_order_relaxed);
	size_t from = (ready / PREPARE + 1) * PREPARE;

	if (s->size >= SPARSE_MIN || from < *done || from >= goal ||
	    s->size < PREPARE || from > s->size - PREPARE)
		return false;
	*done = from + PREPARE;
	return true;
}

void
stream_prepare(const struct stream *s, size_t done)
{

	(void)spare_touch(s->bytes + done - PREPARE, PREPARE);
}

bool
stream_is_large(const struct stream *s)
{
	return s->type == ELFCOMPRESS_ZLIB && s->size >= SPARSE_MIN;
}

void
stream_sparse(struct stream *s)
{
	if (!stream_is_large(s) || atomic_load(&s->ready) != 0)
		return;
	s->sparse = true;
}

/* What was read of the file is let go, now and then. */
static void
drop_passed(struct stream *s)
{
	size_t passed = sparse_passed(s->parts);

	if (passed - s->dropped < DROP_EVERY)
		return;
	image_was_read(
	    s->image, view_sub(&s->packed, s->dropped, passed - s->dropped));
	s->dropped = passed;
}

static bool
sparse_part(struct stream *s, size_t from, size_t to)
{
	if (s->error.code != 0)
		return false;
	if (s->parts == NULL && zlib_header(s)) {
		s->parts = sparse_new(view_from(&s->packed, 2), s->bytes,
		    s->size, allow_guesses(s));
		if (s->parts == NULL)
			bt_fail(&s->error, BT_E_NOMEM, "no memory to inflate");
	}
	if (s->parts == NULL)
		return false;
	while (from < to) {
		size_t end = to - from > PART ? from + PART : to;

		/* Not remembered: what lies before the damage stays. */
		if (!sparse_range(s->parts, from, end))
			return false;
		drop_passed(s);
		prefetch_again(s->image->prefetch);
		from = end;
	}
	return true;
}

bool
stream_range(struct stream *s, uint64_t from, uint64_t to, struct view *out,
    bt_error_t *e)
{
	bool ok;

	if (s->sparse == false)
		return stream_reach(s, to, out, e);
	if (to > s->size)
		to = s->size;
	pthread_mutex_lock(&s->mutex);
	ok = from >= to || sparse_part(s, (size_t)from, (size_t)to);
	pthread_mutex_unlock(&s->mutex);
	*out = view_of(s->bytes, ok ? (size_t)to : 0);
	if (ok)
		return true;
	if (s->error.code == 0)
		return bt_fail_format(e, from, "damaged zlib data");
	if (e != NULL)
		*e = s->error;
	return false;
}

void
stream_forget(struct stream *s, uint64_t from, uint64_t to)
{
	pthread_mutex_lock(&s->mutex);
	if (s->parts != NULL && from < to && to <= s->size)
		sparse_forget(s->parts, (size_t)from, (size_t)to);
	pthread_mutex_unlock(&s->mutex);
}

bool
stream_sound(const struct stream *s, uint32_t adler)
{
	if (s->sparse)
		return s->parts != NULL &&
		    is_checksum(sparse_rest(s->parts), adler);
	return s->error.code == 0 && s->over;
}

/* How much is there then. */
static size_t
inflate_to(struct stream *s, uint64_t to)
{
	size_t ready;

	while (!try_enter(s)) {
		if (!prefetch_help(s->image->prefetch, s)) {
			enter(s);
			break;
		}
		ready = atomic_load_explicit(&s->ready, memory_order_acquire);
		if (ready >= to && to != 0)
			return ready;
	}
	ready = atomic_load_explicit(&s->ready, memory_order_relaxed);
	while (s->over == false && (ready < to || s->size == 0)) {
		step(s);
		ready = atomic_load_explicit(&s->ready, memory_order_relaxed);
		prefetch_again(s->image->prefetch);
	}
	pthread_mutex_unlock(&s->mutex);
	return ready;
}

bool
stream_reach(struct stream *s, uint64_t to, struct view *out, bt_error_t *e)
{
	size_t ready = atomic_load_explicit(&s->ready, memory_order_acquire);

	if (s->sparse)
		return stream_range(s, 0, to, out, e);
	if (to > s->size)
		to = s->size;
	if (ready < to || s->size == 0)
		ready = inflate_to(s, to);
	*out = view_of(s->bytes, ready);
	if (ready >= to && (to > 0 || s->error.code == 0))
		return true;
	if (e != NULL)
		*e = s->error; /* which does not change any more */
	return false;
}

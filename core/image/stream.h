/* SPDX-License-Identifier: MIT */
/*
 * One compressed section: inflated from its start as far as somebody asked,
 * and further when somebody asks for more. What is there stays where it is.
 *
 * Several threads may ask (prefetch.c): who needs bytes that are not there
 * takes the lock and inflates the next step, so neither waits for more than a
 * step of the other, and uses that time for another stream where there is one.
 */
#ifndef IMAGE_STREAM_H
#define IMAGE_STREAM_H

#include "base/view.h"

struct image;
struct packed;
struct stream;

/* NULL with *e: a size that cannot be, or no memory. Nothing is read yet. */
struct stream *stream_new(
    const struct image *image, const struct packed *packed, bt_error_t *e);
void stream_free(struct stream *s); /* NULL allowed; by one thread */

/* Bytes when all is inflated. */
size_t stream_size(const struct stream *s);

/* Makes the first `to` bytes (all, where there are fewer) readable; *out is
 * what is there, at least them. Valid as long as the stream. */
bool stream_reach(
    struct stream *s, uint64_t to, struct view *out, bt_error_t *e) BT_CHECK;

/* Only parts of it will be read: large ones are then kept in parts. To be said
 * before anything is read. */
void stream_sparse(struct stream *s);
/* Makes [from, to) readable (cut at the end). *out ends at `to` or behind; of
 * a sparse stream it has that part only. */
bool stream_range(struct stream *s, uint64_t from, uint64_t to,
    struct view *out, bt_error_t *e) BT_CHECK;

/* Of a sparse stream: what lies wholly in [from, to) need not stay readable. */
void stream_forget(struct stream *s, uint64_t from, uint64_t to);

enum stream_state {
	STREAM_DONE, /* up to the goal */
	STREAM_MORE, /* steps are left */
	STREAM_BUSY  /* somebody else is inflating it */
};

/* Inflates one step more towards the first `goal` bytes, by any thread. With
 * `wait` it waits until nobody else does. Not for sparse streams. */
enum stream_state stream_advance(struct stream *s, uint64_t goal, bool wait);

/* Finds out, while another thread is inflating it, what blocks on the way to
 * the first `goal` bytes say (guess.h). False: there is nothing to do now. */
bool stream_guess(struct stream *s, uint64_t goal);

/* When all of it was read: is it what was compressed? adler: of all its bytes,
 * for those of which no checksum was compared on the way. */
bool stream_sound(const struct stream *s, uint32_t adler);

/* One of which stream_sparse keeps parts. */
bool stream_is_large(const struct stream *s);

/* Whether memory is to be got for what comes next, on the way to the first
 * `goal` bytes. *done: so far it was got already, 0 at first; how far it will
 * be after stream_prepare, to which that is given. */
bool stream_unprepared(const struct stream *s, uint64_t goal, size_t *done);
/* By another thread than the one that is inflating it. */
void stream_prepare(const struct stream *s, size_t done);

#endif /* IMAGE_STREAM_H */

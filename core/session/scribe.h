/* SPDX-License-Identifier: MIT */
/*
 * A second thread that writes sections of the snapshot, while the session
 * collects what comes next: putting a thousand threads and their variables
 * into columns, compressing them and handing them over takes a third as long
 * as collecting them. One part after the other, in the order in which they
 * came.
 *
 * All functions but the one that writes are for the session's thread alone.
 */
#ifndef SESSION_SCRIBE_H
#define SESSION_SCRIBE_H

#include "formats/btt.h"

/* Writes the part and hands it over, in the other thread. False: it cannot be;
 * those behind it then wait until somebody has asked (scribe_wait). */
typedef bool scribe_write_fn(void *ctx, struct btt_part *p);

struct scribe;

/* NULL: no memory, or but one processor, and then nothing would be won. The
 * thread begins with the first part. */
struct scribe *scribe_new(scribe_write_fn *write, void *ctx);
/* What was not written is lost. NULL allowed, here and below. */
void scribe_free(struct scribe *s);

/* Takes the part, and destroys it when it is written. False: it is the caller's
 * still; there is no thread, or too many parts wait. */
bool scribe_post(struct scribe *s, struct btt_part *p);

/* Parts wait or are written: what is to come behind them must be posted. */
bool scribe_is_busy(struct scribe *s);

/* Waits until all is written: NULL. Or until a part could not be, which is then
 * the caller's; the parts behind it go on with the next call. */
struct btt_part *scribe_wait(struct scribe *s);

#endif /* SESSION_SCRIBE_H */

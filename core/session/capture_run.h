/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's part of a capture: a process of its own takes it, with a
 * deadline, so that the supervisor never waits for a target and a target never
 * for the supervisor.
 */
#ifndef SESSION_CAPTURE_RUN_H
#define SESSION_CAPTURE_RUN_H

#include "session/worker.h"
#include "target/capture.h"

/* The capture is sealed and closed by the caller, who releases the holder, too:
 * the process (if there is one) with which the frozen copy ends. */
bool capture_run(const struct capture_options *options, uint64_t deadline_ns,
    struct worker *holder, struct capture **out, bt_error_t *e);
void capture_release(struct worker *holder);
/* Takes it again, of the same process. *changed: that is, or is
 * just becoming, another program and has to be captured anew. False: the
 * capture holds nothing and is to be closed. */
bool capture_run_again(struct capture *c, uint64_t deadline_ns,
    struct worker *holder, bool *changed, bt_error_t *e);

#endif /* SESSION_CAPTURE_RUN_H */

/* SPDX-License-Identifier: MIT */
/*
 * A captured live process as a target: struct capture in, the same interface
 * as over a core out. What the capture does not hold is read from the process
 * as it runs on, for as long as it lives.
 */
#ifndef TARGET_LIVE_H
#define TARGET_LIVE_H

#include "target/capture.h"
#include "target/target.h"

/* options->core_path and exe_path are not used. The capture is borrowed. */
bool target_live_open(const struct target_options *options,
    const struct capture *capture, struct target **out, bt_error_t *e) BT_CHECK;

#endif /* TARGET_LIVE_H */

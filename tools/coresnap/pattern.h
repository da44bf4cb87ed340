/* SPDX-License-Identifier: MIT */
/*
 * kernel.core_pattern: who gets the cores of this machine.
 */
#ifndef CORESNAP_PATTERN_H
#define CORESNAP_PATTERN_H

#include "base/error.h"

/* The kernel's CORENAME_MAX_SIZE. */
enum { PATTERN_MAX = 128 };

/* sysctl is the directory of the settings, "/proc/sys/kernel" but in tests. */
bool pattern_read(const char *sysctl, char out[PATTERN_MAX], bt_error_t *e);
bool pattern_write(const char *sysctl, const char *text, bt_error_t *e);
bool pattern_is_ours(const char *pattern);

/* How many helpers the kernel runs at once, and waits for: 0, the default,
 * means any number, and that it does not wait. */
bool pattern_pipe_limit(
    const char *sysctl, int *out, const char *set, bt_error_t *e);

#endif /* CORESNAP_PATTERN_H */

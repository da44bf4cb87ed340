/* SPDX-License-Identifier: MIT */
/*
 * Reports of apport (/var/crash/NAME.crash): lines "Key: value", one of which
 * is the core, compressed with gzip, as lines of base64.
 */
#ifndef SPOOL_APPORT_H
#define SPOOL_APPORT_H

#include "spool/facts.h"

/* Do these first bytes (at least 16) begin a report? */
bool apport_is_report(const uint8_t *first);

/* Writes the compressed core to out_fd, at most `most` bytes of it, and takes
 * the executable's path and the signal from the report. BT_E_FORMAT when there
 * is no core in it. */
bool apport_extract(
    int fd, int out_fd, uint64_t most, struct facts *f, bt_error_t *e);

#endif /* SPOOL_APPORT_H */

/* SPDX-License-Identifier: MIT */
/*
 * A secret of this host and user, by which equal values are seen to be equal in
 * snapshots that do not have them. It lies in a file of mode 0600 and is in no
 * snapshot: without it nobody can find out a value by trying.
 *
 * The directory is INQUEST_STATE_DIR, else for root /var/lib/inquest, else
 * XDG_STATE_HOME/inquest or ~/.local/state/inquest; it is made, with the file,
 * when it is first needed.
 */
#ifndef SESSION_HOSTKEY_H
#define SESSION_HOSTKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_KEY_SIZE = 32 };

struct host_key {
	bool tried, there;
	uint8_t bytes[HOST_KEY_SIZE];
};

/* 16 hex digits of an HMAC. False: there is no key, and none can be made. */
bool host_key_digest(
    struct host_key *key, const void *data, size_t size, char out[17]);

#endif /* SESSION_HOSTKEY_H */

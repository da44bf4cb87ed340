/* SPDX-License-Identifier: MIT */
/*
 * A debuginfod server as the last place to look for a file by its build-id.
 * Only for a user who has set DEBUGINFOD_URLS, and only where libdebuginfod is
 * installed: it is loaded when the first file is wanted, never linked. All
 * downloads of a session together get a few seconds; a server that does not
 * answer in that time is not asked again.
 */
#ifndef IMAGE_SYMSERVER_H
#define IMAGE_SYMSERVER_H

#include "image/image.h"

struct symserver;

enum symserver_kind { SYMSERVER_DEBUGINFO, SYMSERVER_EXECUTABLE };

/* NULL when the user has set no server (or without memory). timeout_ns is for
 * all downloads together. Nothing is loaded yet. */
struct symserver *symserver_new(uint64_t timeout_ns);
/* The same for a process that has no network: the opener fetches. NULL when the
 * user has set none. The opener is borrowed. */
struct symserver *symserver_new_behind(struct opener *opener);
void symserver_free(struct symserver *s); /* NULL allowed */

/* BT_E_NOTFOUND: the server does not have it, or there is no library. Whoever
 * calls checks the build-id. */
bool symserver_fetch(struct symserver *s, enum symserver_kind kind,
    const struct image_build_id *id, struct image **out,
    bt_error_t *e) BT_CHECK;

/* The file itself, with its name (malloc'd, may be NULL): a descriptor that the
 * caller owns, or -1. */
int symserver_fetch_fd(struct symserver *s, enum symserver_kind kind,
    const struct image_build_id *id, char **name, bt_error_t *e);

#endif /* IMAGE_SYMSERVER_H */
